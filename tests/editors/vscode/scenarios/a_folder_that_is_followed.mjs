import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const old = world.repository('old/shop');
  const port = world.reserve(old);
  const moved = path.join(world.directory('new'), 'shop');
  fs.renameSync(old, moved);
  const window = await openWindow(moved);

  await window.showsStatus(`${port}`);
  await eventually('the move', () => world.portsAt(moved)[''] === port);
  assert.deepEqual(world.portsAt(old), {});
}
