import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const data = path.join(world.root, 'made');
  const window = await openWindow(folder, { settings: { 'trop.dataDir': data, 'trop.reserveOnOpen': 'never' } });
  await window.showsStatus('Reserve Port');

  await window.palette('Trop: Initialize Data Directory');
  await window.dialog.filter({ hasText: `Create the store ${data}` }).waitFor();
  await window.decide('Cancel');
  assert.ok(!fs.existsSync(data));
  await window.palette('Trop: Initialize Data Directory');
  await window.decide('Initialize');
  await eventually('the store', () => fs.existsSync(path.join(data, 'trop.db')));

  await window.palette('Trop: Open in Browser');
  await window.answer('No port is reserved for shop', 'Reserve Port');
  await window.showsStatus(/\d+/);
  const port = Number(await window.command('trop.port'));
  const opened = window.page.waitForEvent('popup');
  await window.palette('Trop: Open in Browser');
  // This build of VS Code runs in a browser, and rewrites the addresses of its own machine.
  assert.equal(new URL((await opened).url()).pathname, `/proxy/${port}/`);

  await window.palette('Trop: List Projects');
  await window.asksFor('The project whose ports are shown');
  await window.choose('shop');
  await window.asksFor('The ports of shop');
  await window.choose(`${port}`);
  await eventually('the copied port', async () => (await window.clipboard()) === `${port}`);

  // One answer of the server does not hold as many.
  world.fill(path.join(data, 'trop.db'), 1001, 'many', 20_000);
  await window.palette('Trop: List Projects');
  await window.choose('many');
  await window.asksFor('The ports of many');
  await window.type('/many/999');
  await window.choose('/many/999');
  await eventually('the port of the last one', async () => (await window.clipboard()) === '20999');

  await window.palette('Trop: Show Log');
  await window.page.locator('.output-view').filter({ hasText: 'Starting' }).waitFor();

  await window.palette('Trop: Reserve Tagged Port…');
  await window.asksFor('A tagged port for shop');
  await window.type('  ');
  await window.page.keyboard.press('Enter');
  // The server says what is wrong with it.
  await window.told('is no valid tag');
}
