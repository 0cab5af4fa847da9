import assert from 'node:assert/strict';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const [one, other] = ['one', 'other'].map((name) => world.directory(`shop/${name}`));
  const ports = { one: world.reserve(one), other: world.reserve(other) };
  const [left, taken] = ['left', 'taken'].map((name) => path.join(folder, name));
  const inTheWay = { left: reserveMissing(world, left), taken: reserveMissing(world, taken) };
  const window = await openWindow(folder);
  await window.showsStatus(/\d+/);

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
