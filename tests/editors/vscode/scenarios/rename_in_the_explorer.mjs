import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const app = world.directory('shop/app');
  const port = world.reserve(app);
  const below = world.reserve(world.directory('shop/app/api'), '--tag', 'web');
  const window = await openWindow(folder);
  await window.showsStatus(/\d+/); // The server hears of renames from now on.

  await window.rename('app', 'site');

  const site = path.join(folder, 'site');
  await eventually('the moved reservations', () => world.portsAt(site)[''] === port);
  assert.deepEqual(world.portsAt(path.join(site, 'api')), { web: below });
  assert.deepEqual(world.portsAt(app), {});
  assert.ok(fs.existsSync(site));
}
