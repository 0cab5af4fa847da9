import assert from 'node:assert/strict';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const old = world.directory('old');
  const [port, api] = [world.reserve(old), world.reserve(old, '--tag', 'api')];
  const before = world.portsAt(old);
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' } });
  await window.showsStatus('Reserve Port');

  await migrate(window, old, folder);
  await window.dialog.filter({ hasText: `Port ${port}: ${old} → ${folder}` }).waitFor();
  await window.decide('Cancel');
  assert.deepEqual(world.portsAt(old), before);

  // Somebody reserves at the destination while the preview is being read.
  await migrate(window, old, folder);
  await window.dialog.filter({ hasText: `Port ${port}: ${old} → ${folder}` }).waitFor();
  const inTheWay = world.reserve(folder);
  await window.dialog.getByRole('button', { name: 'Migrate', exact: true }).click();
  await window.dialog.filter({ hasText: '1 reservation in the way would be released' }).waitFor();
  await window.dialog.filter({ hasText: `Port ${inTheWay}: ${folder}` }).waitFor();
  await window.decide('Cancel');
  assert.deepEqual(world.portsAt(folder), { '': inTheWay });

  await migrate(window, old, folder);
  await window.dialog.filter({ hasText: '1 reservation in the way would be released' }).waitFor();
  const another = world.reserve(folder, '--tag', 'api');
  await window.dialog.getByRole('button', { name: 'Overwrite and Migrate', exact: true }).click();
  await window.dialog.filter({ hasText: `Port ${another} (tag api): ${folder}` }).waitFor();
  assert.deepEqual(world.portsAt(old), before);
  await window.decide('Overwrite and Migrate');
  await eventually('the moved reservations', () => world.portsAt(folder).api === api);
  assert.deepEqual(world.portsAt(folder), { '': port, api });
  assert.deepEqual(world.portsAt(old), {});
  await window.showsStatus(`${port}`);

  await migrate(window, folder, 'Another Directory…');
  await window.asksFor('The directory that they move to');
  await window.type(old);
  await window.page.keyboard.press('Enter');
  await window.decide('Migrate');
  await eventually('what moved back', () => world.portsAt(old)[''] === port);
  await window.showsStatus('Reserve Port');

  // A path that is typed at once, and that a stored one contains, is the one that was typed.
  world.reserve(world.directory('older'));
  await window.palette('Trop: Migrate Reservations…');
  await window.asksFor('Migrate Reservations (1/2)');
  await window.type(`${old}e`);
  await window.page.keyboard.press('Enter');
  await window.asksFor(`Where the reservations of ${old}e move to`);
  await window.page.keyboard.press('Escape');

  // A path that is typed where others are to be picked from.
  await window.palette('Trop: Migrate Reservations…');
  await window.asksFor('Migrate Reservations (1/2)');
  await window.type(old);
  await window.page.keyboard.press('Enter');
  await window.asksFor('Migrate Reservations (2/2)');
  await window.type(`${folder}/`);
  await window.page.keyboard.press('Enter');
  await window.decide('Migrate');
  await eventually('what moved to what was typed', () => world.portsAt(folder)[''] === port);
}

async function migrate(window, from, to) {
  await window.palette('Trop: Migrate Reservations…');
  await window.asksFor('Migrate Reservations (1/2)');
  await window.choose(from);
  await window.asksFor('Migrate Reservations (2/2)');
  await window.choose(to);
}
