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
