import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const repositories = JSON.parse(process.env.TROP_TEST_HOSTILE);
  const fine = world.repository('fine');
  const folders = [...repositories.map(({ folder }) => folder), fine];
  const file = path.join(world.work, 'all.code-workspace');
  fs.writeFileSync(file, JSON.stringify({ folders: folders.map((at) => ({ path: at })) }));

  const window = await openWindow(file, { settings: { 'trop.reserveOnOpen': 'always' } });

  for (const { name, folder } of [...repositories.filter(({ reserves }) => reserves), { name: 'fine', folder: fine }]) {
    await eventually(`a port for ${name}`, () => Object.keys(world.portsAt(folder)).length > 0);
  }
  await window.palette('Trop: Copy Port');
  await window.asksFor('The port to copy');
  await window.choose('fine');
  await eventually('the port', async () => (await window.clipboard()) === `${world.portsAt(fine)['']}`);
  for (const { folder, reserves } of repositories) {
    if (!reserves) {
      assert.deepEqual(world.portsAt(folder), {});
    }
  }
  await (await window.reservations()).first().waitFor();
  await window.command('notifications.showList');
  assert.equal(await window.page.locator('.notification-list-item-message a').count(), 0);
  assert.equal(await window.dialog.count(), 0);
  console.log(await window.page.locator('body').innerText());
}
