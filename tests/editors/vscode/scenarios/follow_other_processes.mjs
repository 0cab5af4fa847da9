import assert from 'node:assert/strict';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' } });
  await window.showsStatus('Reserve Port');
  assert.deepEqual(world.stored(), []);

  const tagged = world.reserve(folder, '--tag', 'api');
  await window.showsStatus(`${tagged} api`);
  const port = world.reserve(folder);
  await window.showsStatus(new RegExp(`^\\s*${port}\\s*$`));
  await window.status.hover();
  const table = window.page.locator('.monaco-hover table');
  await table
    .filter({ hasText: 'api' })
    .filter({ hasText: `${port}` })
    .filter({ hasText: 'main' })
    .waitFor();

  world.trop(folder, 'release');
  await window.showsStatus('Reserve Port');
  await window.status.click();
  await window.showsStatus(/\d+/);
  assert.deepEqual(Object.keys(world.portsAt(folder)), ['']);
}
