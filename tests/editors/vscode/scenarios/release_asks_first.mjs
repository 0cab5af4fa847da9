import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

/** For how long nobody has to have typed before a question comes, in milliseconds. */
const PAUSE = 1000;

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const port = world.reserve(folder);
  const api = world.reserve(folder, '--tag', 'api');
  const window = await openWindow(folder);
  await window.showsStatus(`${port}`);

  await release(window, `${api}`);
  await window.dialog
    .filter({ hasText: `Release port ${api} (tag api)?` })
    .filter({ hasText: folder })
    .waitFor();
  await window.decide('Cancel');
  assert.deepEqual(world.portsAt(folder), { '': port, api });

  await release(window, `${api}`);
  await window.decide('Release');
  await eventually('the release', () => !world.portsAt(folder).api);
  assert.deepEqual(world.portsAt(folder), { '': port });

  world.reserve(folder, '--tag', 'web');
  await release(window, 'All 2 ports');
  await window.dialog.filter({ hasText: 'Release 2 ports?' }).waitFor();
  // Somebody reserves while the question stands there: nothing goes that it did not name.
  world.reserve(folder, '--tag', 'db');
  await window.dialog.getByRole('button', { name: 'Release', exact: true }).click();
  await window.dialog.filter({ hasText: 'Release 3 ports?' }).filter({ hasText: '(tag db)' }).waitFor();
  assert.equal(world.stored().length, 3);

  // A key, a task's input or another extension that calls the server's own command asks as well.
  await window.decide('Cancel');
  const call = (command, argument) =>
    window.host((vscode, ...given) => void vscode.commands.executeCommand(...given), command, argument);
  for (const argument of [{ overwrite: true }, { overwrite: true, plan: null }]) {
    await call('trop.init', argument);
    await window.dialog.filter({ hasText: 'Initialize' }).filter({ hasText: 'Empty the store' }).waitFor();
    await window.decide('Cancel');
  }
  const gone = world.directory('gone');
  const lost = world.reserve(gone);
  fs.rmdirSync(gone);
  for (const answer of ['Cancel', 'Do It']) {
    await call('trop.prune', { plan: null });
    await window.dialog.filter({ hasText: `Port ${lost} is given up: ${gone}` }).waitFor();
    assert.equal(world.stored().length, 4);
    await window.decide(answer);
  }
  await eventually('the cleanup', () => world.stored().length === 3);

  // Where a store is newer in part, a dry run gives no plan: that is no agreement.
  const newer = 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()';
  const update = "UPDATE metadata SET value = '99' WHERE key = 'companion_version'";
  execFileSync('python3', ['-c', newer, path.join(world.environment().TROP_DATA_DIR, 'trop.db'), update]);
  await call('trop.init', { overwrite: true });
  await window.dialog.filter({ hasText: 'Empty the store' }).waitFor();
  await window.decide('Cancel');
  assert.equal(world.stored().length, 3);

  // Who is typing has answered nothing: the question comes once they stop.
  const file = path.join(folder, 'serve.sh');
  await eventually('typing without a pause', () => typesOn(window, file, () => call('trop.release', { folder })));
  assert.equal(world.stored().length, 3);

  await release(window, 'All 3 ports');
  await window.decide('Release');
  await window.showsStatus('Reserve Port');
  assert.deepEqual(world.stored(), []);
}

async function release(window, what) {
  await window.palette('Trop: Release…');
  await window.asksFor('What to release');
  await window.choose(what);
}

/** Types in a file, and asks meanwhile. False where this machine made a pause of its own, which tells nothing. */
async function typesOn(window, file, ask) {
  await window.open(file);
  await window.page.locator('.monaco-editor .native-edit-context, .monaco-editor textarea').first().focus();
  await window.host((vscode) => {
    globalThis.typed = [];
    globalThis.listener ??= vscode.workspace.onDidChangeTextDocument(() => globalThis.typed.push(Date.now()));
  });
  let isAsked = false;
  // No key that answers a dialog: one that comes too early stays.
  await window.page.keyboard.press('x');
  await ask();
  for (const end = Date.now() + 3 * PAUSE; Date.now() < end && !isAsked; ) {
    await window.page.keyboard.press('x');
    isAsked = (await window.dialog.count()) > 0;
  }
  const times = await window.host(() => [...globalThis.typed, Date.now()]);
  await window.dialog.filter({ hasText: 'Release 3 ports?' }).waitFor();
  await window.decide('Cancel');
  if (times.some((time, number) => number > 0 && time - times[number - 1] > PAUSE / 2)) {
    return false;
  }
  assert.ok(!isAsked, 'asked while somebody typed');
  return true;
}
