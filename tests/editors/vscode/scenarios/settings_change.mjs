import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.directory('shop');
  const app = world.directory('shop/app');
  const window = await openWindow(folder);
  await window.showsStatus('Reserve Port');

  window.configure({ 'trop.reserveOnOpen': 'always' });
  await window.showsStatus(/\d+/);
  assert.equal(world.stored().length, 1);

  // What was released does not come back with the next server: the folder was open all the time.
  world.trop(folder, 'release');
  await window.showsStatus('Reserve Port');
  await window.command('trop.restartServer');
  for (let look = 0; look < 3; look++) {
    await window.command('trop.refreshReservations'); // The server answers in order.
    assert.deepEqual(world.stored(), []);
  }
  world.reserve(folder);

  const elsewhere = path.join(world.root, 'elsewhere');
  world.trop(app, 'reserve', '--data-dir', elsewhere, '--path', folder, '--port', '6789');
  window.configure({ 'trop.dataDir': elsewhere });
  await window.showsStatus('6789');

  window.configure({ 'trop.reserveOnOpen': 'sometimes' });
  await window.told('one of never, git, always');

  const port = world.reserve(app);
  window.configure({ 'trop.migrateOnRename': false });
  await window.showsStatus(new RegExp(`^\\s*${world.portsAt(folder)['']}\\s*$`));
  await window.rename('app', 'site');
  await eventually('the renamed directory', () => fs.existsSync(path.join(folder, 'site')));
  // The next answer of the server comes after it has heard whatever it hears.
  assert.ok(await window.command('trop.reserve', { folder }));
  assert.deepEqual(world.portsAt(app), { '': port });
}
