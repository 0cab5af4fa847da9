// A window in which somebody does whatever comes into reach, while others do the same in terminals and with files.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from './eventually.mjs';

const PALETTE = [
  ...['Reserve Port for This Folder', 'Reserve Tagged Port…', 'Reserve Services', 'Release…', 'Copy Port'],
  ...['Copy as Environment', 'Migrate Reservations…', 'List Projects', 'Undo Last Change', 'Show History'],
  ...['Initialize Data Directory', 'Open trop.yaml', 'Show Log'],
];
const TAGS = ['web', 'api', 'no such tag [x](command:y)'];
const FILES = [
  'reservations:\n  services: {web: {}, api: {}}\n',
  'reservations:\n  services: {web: 3000, db: {}}\n',
  'reservatons: [\n',
  '',
];

/** Acts for some seconds; then what the window shows has to be what is stored. Tells what its processes hold. */
export async function actAtRandom({ world, openWindow }, seconds, seed = Date.now() % 1e6) {
  console.log(`seed ${seed}`);
  const chance = randomly(seed);
  const shop = world.repository('shop');
  const places = [shop, world.worktree(shop, 'shop-login'), world.repository('bank'), world.directory('loose')];
  const file = path.join(shop, 'trop.yaml');
  const window = await openWindow(shop);
  await window.page.setViewportSize({ width: 1280, height: 1600 });
  await window.showsStatus(/\d+/);
  const rows = await window.reservations();
  const host = await window.host(() => process.pid);

  const actions = {
    palette: async () => {
      const command = chance.of(PALETTE);
      console.log(command);
      await window.palette(`Trop: ${command}`);
    },
    reserve: () => run(world, chance.of(places), ['reserve', ...chance.of([[], ['--tag', chance.of(TAGS)]])]),
    release: () => run(world, chance.of(places), ['release', ...chance.of([[], ['--recursive'], ['--tag', 'web']])]),
    migrate: () => run(world, world.work, ['migrate', '--from', chance.of(places), '--to', chance.of(places), '--force']),
    undo: () => run(world, chance.of(places), ['undo', '--any', '--allow-unrelated-path']),
    group: () => run(world, shop, ['autoreserve', '--shell', 'sh']),
    file: () => fs.writeFileSync(file, chance.of(FILES)),
    type: async () => {
      if (fs.existsSync(file)) {
        await window.open(file);
        await window.write(file, chance.of(FILES));
      }
    },
    away: () => {
      const [loose, away] = [places[3], `${places[3]}-away`];
      fs.existsSync(loose) ? fs.renameSync(loose, away) : fs.renameSync(away, loose);
    },
    rename: () => rename(window, shop),
    hide: () => window.command('workbench.view.explorer'),
    show: () => window.command('trop.reservations.focus'),
    close: () => window.command('workbench.action.revertAndCloseActiveEditor'),
  };
  const names = Object.keys(actions).flatMap((name) => (name === 'palette' ? Array(8).fill(name) : [name]));

  const [begun, done, samples] = [Date.now(), {}, []];
  const passed = () => (Date.now() - begun) / 1000;
  const sample = () => samples.push({ at: Math.round(passed()), host: held(host), server: held(serverOf(host)) });
  let restarted = false;
  while (passed() < seconds) {
    const name = chance.of(names);
    console.log(`${Math.round(passed())} s: ${name}`);
    done[name] = (done[name] ?? 0) + 1;
    await actions[name]();
    await answer(window, chance, places);
    if (!restarted && passed() > seconds / 10) {
      await window.command('trop.restartServer'); // Once, and early: what it holds is that of one process from then on.
      restarted = true;
      sample();
    } else if (restarted && passed() - samples.at(-1).at > Math.max(30, seconds / 15)) {
      sample();
    }
  }

  await window.command('workbench.action.revertAndCloseActiveEditor');
  await window.command('trop.reservations.focus');
  await eventually('the view that shows what is stored', async () => {
    const shown = await rows.evaluateAll((all) => all.map((row) => row.ariaLabel).filter((label) => /^Port/.test(label)));
    const ports = shown.map((label) => label.replaceAll('\u2060', '').replace(/, [^,]*$/, '')); // Without who listens.
    assert.deepEqual(ports.toSorted(), expected(world));
    return true;
  });
  const own = world.portsAt(shop);
  const first = own[''] ?? own.web ?? Object.values(own)[0] ?? 'Reserve Port';
  await window.showsStatus(`${first}`);
  sample();
  console.log(`did ${JSON.stringify(done)}`);
  for (const each of samples) {
    console.log(JSON.stringify(each));
  }
  assert.deepEqual(unhandled(window.directory), []);
  return samples;
}

/** What the rows of the ports begin with. */
function expected(world) {
  return world
    .stored()
    .map(({ port, tag, path: at }) => [`Port ${port}`, tag, path.basename(at)].filter((word) => word !== null).join(', '))
    .toSorted();
}

/** Answers whatever is asked, one way or the other, until nothing is. */
async function answer(window, chance, places) {
  const { page } = window;
  const input = page.locator('.quick-input-widget:visible');
  for (let [quiet, rounds] = [0, 0]; quiet < 3; rounds++) {
    assert.ok(rounds < 100, 'something is asked that takes no answer');
    if (await window.dialog.isVisible()) {
      await page.keyboard.press(chance.of(['Enter', 'Enter', 'Escape']));
    } else if (await input.isVisible()) {
      const text = await input.locator('.quick-input-list:visible').count() ? '' : chance.of([...TAGS, ...places]);
      await page.keyboard.type(text);
      await page.keyboard.press(chance.of(['ArrowDown', 'ArrowUp']));
      await page.keyboard.press(chance.of(['Enter', 'Enter', 'Enter', 'Escape']));
    } else {
      quiet += 1;
    }
    await page.waitForTimeout(100); // What comes later comes into the way of the next action, which is as good.
  }
  await window.command('notifications.clearAll');
}

/** Somebody else's command; it may be refused. */
function run(world, cwd, args) {
  try {
    world.trop(fs.existsSync(cwd) ? cwd : world.work, ...args);
  } catch (error) {
    assert.notEqual(error.status, null, error.message);
    assert.ok(!/Traceback/.test(error.stderr), error.stderr);
  }
}

async function rename(window, shop) {
  const [app, site] = ['app', 'site'].map((name) => path.join(shop, name));
  if (!fs.existsSync(app) && !fs.existsSync(site)) {
    fs.mkdirSync(app);
  }
  const [from, to] = fs.existsSync(app) ? [app, site] : [site, app];
  await window.host(
    async (vscode, one, other) => {
      const edit = new vscode.WorkspaceEdit();
      edit.renameFile(vscode.Uri.file(one), vscode.Uri.file(other));
      await vscode.workspace.applyEdit(edit);
    },
    from,
    to,
  );
}

/** The memory in MiB and the number of open files of a process. */
function held(pid) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { pid, memory: Math.round(kilobytes / 1024), files: fs.readdirSync(`/proc/${pid}/fd`).length };
}

function serverOf(host) {
  const children = fs.readFileSync(`/proc/${host}/task/${host}/children`, 'utf8').trim().split(' ');
  return children.find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('trop-server'));
}

/** Lines of the logs about errors that nobody has dealt with. */
function unhandled(directory) {
  const logs = fs.readdirSync(directory, { recursive: true }).filter((name) => name.endsWith('.log'));
  assert.ok(logs.length > 0);
  const lines = logs.flatMap((name) => fs.readFileSync(path.join(directory, name), 'utf8').split('\n'));
  return lines.filter((line) => /unhandled|promise rejected|rejected promise|Traceback/i.test(line));
}

/** Random choices that a seed gives again. */
function randomly(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { of: (all) => all[Math.floor(next() * all.length)] };
}
