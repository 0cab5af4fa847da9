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
  // Somebody reserves while the question stands there: nothing goes that it did not name.
  world.reserve(folder, '--tag', 'db');
  await window.dialog.getByRole('button', { name: 'Release', exact: true }).click();
  await window.dialog.filter({ hasText: 'Release 3 ports?' }).filter({ hasText: '(tag db)' }).waitFor();
  assert.equal(world.stored().length, 3);

  // A key, a task's input or another extension that calls the server's own command asks as well.
  await window.decide('Cancel');
  await window.host((vscode) => void vscode.commands.executeCommand('trop.init', { overwrite: true }));
  await window.dialog.filter({ hasText: 'Initialize' }).filter({ hasText: 'Empty the store' }).waitFor();
  await window.decide('Cancel');
  assert.equal(world.stored().length, 3);

  await release(window, 'All 3 ports');
  await window.decide('Release');
  await window.showsStatus('Reserve Port');
  assert.deepEqual(world.stored(), []);
}

async function release(window, what) {
  await window.palette('Trop: Release…');
  await window.asksFor('What to release');
  await window.choose(what);
}
