import assert from 'node:assert/strict';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const port = world.reserve(folder);
  const api = world.reserve(folder, '--tag', 'api');
  const window = await openWindow(folder);
  await window.showsStatus(`${port}`);

  await release(window, `${api}`);
  await window.dialog
    .filter({ hasText: `Release port ${api} (tag api)?` })
    .filter({ hasText: folder })
    .waitFor();
  await window.decide('Cancel');
  assert.deepEqual(world.portsAt(folder), { '': port, api });

  await release(window, `${api}`);
  await window.decide('Release');
  await eventually('the release', () => !world.portsAt(folder).api);
  assert.deepEqual(world.portsAt(folder), { '': port });

  world.reserve(folder, '--tag', 'web');
  await release(window, 'All 2 ports');
  await window.dialog.filter({ hasText: 'Release 2 ports?' }).waitFor();
  await window.decide('Release');
  await window.showsStatus('Reserve Port');
  assert.deepEqual(world.stored(), []);
}

async function release(window, what) {
  await window.palette('Trop: Release…');
  await window.asksFor('What to release');
  await window.choose(what);
}
