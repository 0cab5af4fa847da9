import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const [app, one, other] = ['app', 'one', 'other'].map((name) => world.directory(`shop/${name}`));
  const [site, left, taken] = ['site', 'left', 'taken'].map((name) => path.join(folder, name));
  const ports = { app: world.reserve(app), one: world.reserve(one), other: world.reserve(other) };
  const below = world.reserve(world.directory('shop/app/api'), '--tag', 'web');
  const inTheWay = { left: reserveMissing(world, left), taken: reserveMissing(world, taken) };
  const window = await openWindow(folder);
  await window.showsStatus(/\d+/); // The server hears of renames from now on.

  await window.rename('app', 'site');
  await eventually('the moved reservations', () => world.portsAt(site)[''] === ports.app);
  assert.deepEqual(world.portsAt(path.join(site, 'api')), { web: below });
  assert.deepEqual(world.portsAt(app), {});
  assert.ok(fs.existsSync(site));

  // Others are in the way.
  await window.rename('one', 'left');
  await window.told(`${inTheWay.left}`);
  await window.answer(`${inTheWay.left}`, 'Leave');

  await window.rename('other', 'taken');
  await window.answer(`${inTheWay.taken}`, 'Overwrite');
  await eventually('the overwritten reservation', () => world.portsAt(taken)[''] === ports.other);

  assert.deepEqual(world.portsAt(one), { '': ports.one });
  assert.deepEqual(world.portsAt(left), { '': inTheWay.left });
  assert.deepEqual(world.portsAt(other), {});
}

function reserveMissing(world, directory) {
  return world.reserve(world.work, '--path', directory);
}
