import assert from 'node:assert/strict';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.directory('shop');
  const window = await openWindow(folder);
  await window.showsStatus('Reserve Port'); // It is in no repository, so nobody has reserved for it.
  assert.deepEqual(world.stored(), []);

  await window.palette('Trop: Reserve Port for This Folder');

  await window.told('is reserved for shop');
  const { '': port } = world.portsAt(folder);
  await window.showsStatus(`${port}`);
  assert.equal(world.reserve(folder), port);
  await window.status.click();
  await eventually('the copied port', async () => (await window.clipboard()) === `${port}`);
}
