import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';
import { listening } from '../listening.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const { TROP_SKIP_OCCUPANCY_CHECK: _, ...environment } = world.environment();
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' }, environment });
  await window.showsStatus('Reserve Port');
  await window.page.locator('.activitybar').getByRole('tab', { name: 'Trop' }).click();
  const rows = await window.reservations();
  await window.page.getByText('No port is reserved yet.').waitFor();
  const loosePlace = world.directory('loose');
  const [own, ownPort] = await listening(folder, 0);
  const [foreign, foreignPort] = await listening(folder, 0);

  const ports = {
    shop: world.reserve(folder, '--port', `${ownPort}`, '--ignore-occupied'),
    loose: world.reserve(loosePlace, '--tag', 'web'),
    taken: world.reserve(loosePlace, '--tag', 'x', '--port', `${foreignPort}`, '--ignore-occupied'),
  };
  const row = (port) => rows.filter({ hasText: `${port}` });
  const [busy, loose, taken] = [ports.shop, ports.loose, ports.taken].map(row);
  await busy.filter({ hasText: `node (${own.pid}) of this folder listens` }).waitFor();
  await busy.locator('.codicon-circle-filled').waitFor();
  await taken.filter({ hasText: `x · node (${foreign.pid}) of ${folder} listens` }).waitFor();
  await taken.locator('.codicon-warning').waitFor();
  await loose.filter({ hasText: 'web' }).locator('.codicon-circle-outline').waitFor();
  const labels = await rows.locator('.label-name').allInnerTexts();
  const [shop, none] = [['shop', 'shop'], ['No project', 'loose']];
  assert.deepEqual(labels, [...shop, `${ports.shop}`, ...none, `${ports.loose}`, `${ports.taken}`]);
  await picture(window, world, 'view');

  // Nothing changes in the store, and nobody asks for it.
  own.kill();
  await once(own, 'exit');
  await busy.locator('.codicon-circle-outline').waitFor();
  foreign.kill();
  await once(foreign, 'exit');
  await taken.locator('.codicon-circle-outline').waitFor();

  await loose.hover();
  await loose.getByRole('button', { name: 'Copy Port' }).click();
  await eventually('the copied port', async () => (await window.clipboard()) === `${ports.loose}`);
  await ask(window, loose, 'Release…', `${ports.loose}`);
  await window.decide('Release'); // It is neither above nor below the open folder.
  await loose.waitFor({ state: 'detached' });
  const directory = rows.filter({ has: window.page.locator('.label-name', { hasText: /^loose$/ }) });
  await ask(window, directory, 'Undo Last Change', `${ports.loose}`);
  await window.decide('Undo');
  await loose.waitFor();

  // VS Code gives no row where the tree is drawn anew just then: nothing else is taken for it, the open folder neither.
  for (const command of ['copyPort', 'copyAddress', 'openInBrowser', 'copyEnvironment', 'releasePorts', 'undoLast']) {
    await window.host((vscode, id) => void vscode.commands.executeCommand(id), `trop.row.${command}`);
    await window.told('the list has changed meanwhile');
    await window.command('notifications.clearAll');
  }
  assert.equal(await window.dialog.count(), 0);

  await copies(window, loose, 'Copy Address', (text) => text === `http://localhost:${ports.loose}/`);
  await copies(window, loose, 'Copy as Environment', (text) => text.includes(`=${ports.loose}\n`));

  // What a file of another directory names is not reserved because somebody copies.
  fs.writeFileSync(path.join(loosePlace, 'trop.yaml'), 'reservations: {services: {site: {}}}\n');
  await ask(window, directory, 'Copy as Environment', `for ${loosePlace}?`);
  await window.dialog.filter({ hasText: '(tag site)' }).waitFor();
  fs.writeFileSync(path.join(loosePlace, 'trop.yaml'), 'reservations: {services: {site: {}, more: {}}}\n');
  await window.dialog.getByRole('button', { name: 'Reserve and Copy', exact: true }).click();
  await window.dialog.filter({ hasText: '(tag more)' }).waitFor();
  await window.decide('Cancel');
  assert.equal(world.portsAt(loosePlace).site, undefined);

  // What the question names is what stands on the screen, and that is what is reserved.
  await window.host(async (vscode, file) => {
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(file));
    const { lineCount } = editor.document;
    await editor.edit((edit) => edit.replace(new vscode.Range(0, 0, lineCount, 0), 'reservations: {services: {seen: {}}}'));
  }, path.join(loosePlace, 'trop.yaml'));
  await ask(window, directory, 'Copy as Environment', '(tag seen)');
  await window.decide('Reserve and Copy');
  await eventually('what is seen', () => world.portsAt(loosePlace).seen !== undefined);
  world.trop(loosePlace, 'release', '--tag', 'seen');

  fs.renameSync(loosePlace, path.join(world.root, 'away'));
  await directory.filter({ hasText: 'missing' }).locator('.codicon-warning').waitFor();
  await picture(window, world, 'missing');
  await ask(window, directory, 'Release…', 'Release 2 ports?');
  await window.decide('Release');
  await directory.waitFor({ state: 'detached' });
  assert.deepEqual(
    world.stored().map(({ port }) => port),
    [ports.shop],
  );
}

const CHANGED = 'the list has changed meanwhile';

/** Picks an entry of a row's context menu until it asks something that has these words: rows may change meanwhile. */
async function ask(window, row, entry, words) {
  const question = window.dialog.filter({ hasText: words });
  do {
    await menu(window, row, entry);
    await question.or(window.notification(CHANGED)).first().waitFor();
  } while (!(await question.isVisible()));
}

/** Picks an entry of a row's context menu until it has copied what is meant. */
async function copies(window, row, entry, isMeant) {
  await menu(window, row, entry);
  await eventually(entry, async () => {
    if (await window.notification(CHANGED).isVisible()) {
      await menu(window, row, entry);
    }
    return isMeant(await window.clipboard());
  });
}

/** Picks an entry of a row's context menu. */
async function menu(window, row, entry) {
  await window.command('notifications.clearAll');
  const open = window.page.locator('.monaco-menu');
  await eventually('the menu', async () => {
    await row.click({ button: 'right' });
    try {
      await open.getByRole('menuitem', { name: entry, exact: true }).hover({ timeout: 5000 });
      return true;
    } catch {
      await window.page.keyboard.press('Escape'); // Whatever takes the focus closes a menu.
      return false;
    }
  });
  // A menu that has just come up takes no click.
  await window.page.keyboard.press('Enter');
  await open.waitFor({ state: 'detached' });
}

function picture(window, world, name) {
  return window.page.screenshot({ path: path.join(world.root, `${name}.png`) });
}
