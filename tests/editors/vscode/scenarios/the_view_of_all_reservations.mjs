import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const { TROP_SKIP_OCCUPANCY_CHECK: _, ...environment } = world.environment();
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' }, environment });
  await window.showsStatus('Reserve Port');
  const rows = await window.reservations();
  await window.page.getByText('No port is reserved yet.').waitFor();
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const ports = {
    shop: world.reserve(folder, '--port', `${listener.address().port}`, '--ignore-occupied'),
    loose: world.reserve(world.directory('loose'), '--tag', 'web'),
  };
  const [busy, loose] = [ports.shop, ports.loose].map((port) => rows.filter({ hasText: `${port}` }));
  await busy.locator('.codicon-circle-filled').waitFor();
  await loose.filter({ hasText: 'web · loose' }).waitFor();
  const labels = await rows.locator('.label-name').allInnerTexts();
  assert.deepEqual(labels, ['shop', `${ports.shop}`, 'No project', `${ports.loose}`]);

  listener.close();
  await once(listener, 'close');
  await window.command('trop.refreshReservations');
  await busy.locator('.codicon-circle-outline').waitFor();

  await loose.hover();
  await loose.getByRole('button', { name: 'Copy Port' }).click();
  await eventually('the copied port', async () => (await window.clipboard()) === `${ports.loose}`);
  await loose.hover();
  await loose.getByRole('button', { name: 'Release…' }).click();
  await window.decide('Release'); // It is neither above nor below the open folder.
  await loose.waitFor({ state: 'detached' });
  assert.deepEqual(
    world.stored().map(({ port }) => port),
    [ports.shop],
  );
}
