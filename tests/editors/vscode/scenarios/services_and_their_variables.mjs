import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  fs.writeFileSync(
    path.join(folder, 'trop.yaml'),
    'reservations:\n  services: {web: {}, api: {}}\n  environment: {API_URL: "http://localhost:{port:api}/"}\n',
  );
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' } });
  await window.showsStatus('Reserve Port');

  await window.palette('Trop: Reserve Services');
  await eventually('the ports of the group', () => world.portsAt(folder).api !== undefined);
  const { web, api } = world.portsAt(folder);
  await window.told(`shop: web ${web}, api ${api}.`);

  await window.palette('Trop: Copy as Environment');
  await eventually('the variables', async () => (await window.clipboard()).includes('API_URL'));
  assert.equal(
    await window.clipboard(),
    `PORT=${web}\nWEB_PORT=${web}\nAPI_PORT=${api}\nAPI_URL=http://localhost:${api}/\n`,
  );
  assert.equal(await window.command('trop.url', { tag: 'api' }), `http://localhost:${api}/`);
  assert.equal(await window.command('trop.url'), `http://localhost:${web}/`);
}
