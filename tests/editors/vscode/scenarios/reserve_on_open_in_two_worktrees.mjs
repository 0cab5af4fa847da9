import assert from 'node:assert/strict';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const shop = world.repository('shop');
  const login = world.worktree(shop, 'shop-login');

  const first = await openWindow(shop);
  // Said once, in the status bar, and in no notification.
  await first.page.locator('.statusbar-item', { hasText: `reserved for ${shop}` }).waitFor();
  await first.showsStatus(/^\s*\d+\s*$/);
  const second = await openWindow(login);
  await second.showsStatus(/^\s*\d+\s*$/);

  for (const window of [first, second]) {
    assert.equal(await window.notification('reserved').count(), 0);
  }

  const { '': shopPort } = world.portsAt(shop);
  const { '': loginPort } = world.portsAt(login);
  assert.notEqual(shopPort, loginPort);
  await first.showsStatus(`${shopPort}`);
  await second.showsStatus(`${loginPort}`);
  await second.status.click();
  await eventually('the copied port', async () => (await second.clipboard()) === `${loginPort}`);
  assert.equal(world.reserve(shop), shopPort);
  assert.equal(world.reserve(login), loginPort);
}
