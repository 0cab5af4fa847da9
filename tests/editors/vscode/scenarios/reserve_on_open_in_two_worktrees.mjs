import assert from 'node:assert/strict';

export default async function ({ world, openWindow }) {
  const shop = world.repository('shop');
  const login = world.worktree(shop, 'shop-login');

  const first = await openWindow(shop);
  await first.showsStatus(/^\s*\d+\s*$/);
  const second = await openWindow(login);
  await second.showsStatus(/^\s*\d+\s*$/);

  const { '': shopPort } = world.portsAt(shop);
  const { '': loginPort } = world.portsAt(login);
  assert.notEqual(shopPort, loginPort);
  await first.showsStatus(`${shopPort}`);
  await second.showsStatus(`${loginPort}`);
  assert.equal(world.reserve(shop), shopPort);
  assert.equal(world.reserve(login), loginPort);
}
