import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const old = world.repository('old/shop');
  const port = world.reserve(old);
  const moved = path.join(world.directory('new'), 'shop');
  // As to another disk: what arrives is another directory, and only its name and project speak for it.
  fs.cpSync(old, moved, { recursive: true });
  fs.rmSync(old, { recursive: true });
  const window = await openWindow(moved);

  await window.answer(old, 'Take Along');

  await window.showsStatus(`${port}`);
  await eventually('the move', () => world.portsAt(moved)[''] === port);
  assert.deepEqual(world.portsAt(old), {});
}
