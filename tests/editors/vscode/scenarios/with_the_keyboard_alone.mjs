import assert from 'node:assert/strict';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.directory('shop');
  const window = await openWindow(folder, { userSettings: { 'workbench.colorTheme': 'Default Dark Modern' } });
  await window.showsStatus('Reserve Port'); // It is in no repository, so nobody has reserved for it.
  assert.deepEqual(world.stored(), []);
  const { keyboard } = window.page;
  const run = async (title) => {
    await keyboard.press('F1');
    await keyboard.type(title);
    await window.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: title }).waitFor();
    await keyboard.press('Enter');
  };

  // The one button that is no refusal has the focus, wherever something is asked.
  const agree = async (question) => {
    await window.dialog.filter({ hasText: question }).waitFor();
    await keyboard.press('Enter');
    await window.dialog.waitFor({ state: 'detached' });
  };
  const pick = async (asked, typed) => {
    await window.asksFor(asked);
    await keyboard.type(typed);
    await window.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: typed }).waitFor();
    await keyboard.press('Enter');
  };

  await run('Trop: Initialize Data Directory');
  await agree('Initialize');
  await window.told('the data directory is');

  await run('Trop: Reserve Port for This Folder');
  await window.told('is reserved for shop');
  const { '': port } = world.portsAt(folder);
  await window.showsStatus(`${port}`);
  assert.equal(world.reserve(folder), port);
  await run('Notifications: Accept Notification Primary Action');
  await eventually('the copied port', async () => (await window.clipboard()) === `${port}`);

  await run('Trop: Reserve Tagged Port…');
  await window.asksFor('A tagged port for shop');
  await keyboard.type('api');
  await keyboard.press('Enter');
  await eventually('the tagged port', () => world.portsAt(folder).api);
  const { api } = world.portsAt(folder);

  await run('Trop: Copy Port');
  await pick('The port to copy', `${api}`);
  await eventually('the tagged port', async () => (await window.clipboard()) === `${api}`);
  await run('Trop: Copy Address');
  await pick('The port whose address to copy', `${api}`);
  await eventually('the address', async () => (await window.clipboard()) === `http://localhost:${api}/`);
  await run('Trop: Copy as Environment');
  await eventually('the variables', async () => (await window.clipboard()).includes(`=${port}\n`));
  const opened = window.page.waitForEvent('popup');
  await run('Trop: Open in Browser');
  await pick('The port to open', `${port}`);
  // This build of VS Code runs in a browser, and rewrites the addresses of its own machine.
  const browser = await opened;
  assert.equal(new URL(browser.url()).pathname, `/proxy/${port}/`);
  await browser.close();

  // The view: its rows say what they are, and have their menu.
  await run('Trop: Focus on Port Reservations View');
  const rows = await window.reservations();
  await rows.filter({ hasText: `${api}` }).waitFor();
  const labels = await rows.evaluateAll((all) => all.map((row) => row.ariaLabel));
  assert.deepEqual(labels, [
    'No project, 2 ports',
    `Directory ${folder}`,
    `Port ${port}, shop, nobody can tell whether something listens`,
    `Port ${api}, api, shop, nobody can tell whether something listens`,
  ]);
  await run('Trop: Focus on Port Reservations View'); // VS Code gives no focus to rows that were not there yet.
  await window.page.locator('.monaco-list:focus-within', { hasText: `${api}` }).waitFor();
  await keyboard.press('End');
  await window.page.locator('.monaco-list-row.focused', { hasText: `${api}` }).waitFor();
  await keyboard.press('Shift+F10');
  const entry = window.page.locator('.monaco-menu .action-item.focused');
  await eventually('Release… in the menu', async () => {
    await keyboard.press('ArrowDown');
    return (await entry.innerText()).includes('Release…');
  });
  await window.page.screenshot({ path: path.join(world.root, 'menu.png') });
  await keyboard.press('Enter');
  await window.dialog.filter({ hasText: `Release port ${api} (tag api)?` }).waitFor();
  await keyboard.press('Escape');
  await window.dialog.waitFor({ state: 'detached' });
  assert.equal(world.portsAt(folder).api, api);

  // VS Code gives the focus back to a view that it fills anew, and closes what has it meanwhile.
  const isFilledAnew = (text) => rows.filter({ hasText: text }).first().waitFor();
  const store = world.directory('store');
  await run('Trop: Migrate Reservations…');
  await pick('Migrate Reservations (1/2)', folder);
  await pick('Migrate Reservations (2/2)', store);
  await agree('Migrate 2 reservations');
  await eventually('what has moved', () => world.portsAt(store).api === api);
  await isFilledAnew('store');
  await run('Trop: Undo Last Change');
  await agree('Undo?');
  await eventually('what has come back', () => world.portsAt(folder).api === api);
  assert.deepEqual(world.portsAt(store), {});
  await isFilledAnew('shop');

  const bank = world.reserve(world.repository('bank'));
  await isFilledAnew('bank');
  await run('Trop: List Projects');
  await pick('The project whose ports are shown', 'bank');
  await pick('The ports of bank', `${bank}`);
  await eventually("the project's port", async () => (await window.clipboard()) === `${bank}`);
  world.trop(path.join(world.work, 'bank'), 'release');
  await rows.filter({ hasText: 'bank' }).first().waitFor({ state: 'detached' });

  await run('Trop: Release…');
  await window.asksFor('What to release');
  await keyboard.press('Enter');
  await window.dialog.filter({ hasText: 'Release 2 ports?' }).waitFor();
  await keyboard.press('Enter');
  await eventually('the release', () => world.stored().length === 0);

  await run('Trop: Show History');
  await window.asksFor('What was done');
  await keyboard.press('Enter');
  await window.dialog.filter({ hasText: `Port ${api} (tag api) comes back` }).waitFor();
  await keyboard.press('Enter');
  await eventually('the undo', () => world.portsAt(folder).api === api);
}
