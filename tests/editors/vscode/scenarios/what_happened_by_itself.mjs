import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const window = await openWindow(folder);

  // Said once, in the status bar, and in no notification.
  await window.page.locator('.statusbar-item', { hasText: `reserved for ${folder}` }).waitFor();
  const port = world.portsAt(folder)[''];
  await window.showsStatus(`${port}`);
  await eventually('no notification', async () => (await window.notification('reserved').count()) === 0);
}
