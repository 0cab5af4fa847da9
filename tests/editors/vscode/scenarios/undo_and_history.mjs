import assert from 'node:assert/strict';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const [port, api] = [world.reserve(folder), world.reserve(folder, '--tag', 'api')];
  world.trop(folder, 'release', '--recursive');
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' } });
  await window.showsStatus('Reserve Port');

  await window.palette('Trop: Undo Last Change');
  await window.dialog
    .filter({ hasText: 'Undo? 2 ports come back.' })
    .filter({ hasText: `Port ${port} comes back: ${folder}` })
    .filter({ hasText: `Port ${api} (tag api) comes back: ${folder}` })
    .waitFor();
  await window.decide('Cancel');
  assert.deepEqual(world.stored(), []);

  await window.palette('Trop: Undo Last Change');
  await window.decide('Undo');
  await window.showsStatus(`${port}`);
  assert.deepEqual(world.portsAt(folder), { '': port, api });

  // Something gets into the way of it while the question is being read.
  await pickFromHistory(window, '4: 2 ports reserved');
  await window.dialog
    .filter({ hasText: 'Undo? 2 ports are given up.' })
    .filter({ hasText: `Port ${api} (tag api) is given up: ${folder}` })
    .waitFor();
  world.trop(folder, 'release', '--tag', 'api');
  await window.dialog.getByRole('button', { name: 'Undo', exact: true }).click();
  await window.dialog
    .filter({ hasText: 'Operation 4 cannot be undone as a whole, so nothing was done.' })
    .filter({ hasText: `Port ${api} (tag api): ${folder} is not reserved any more` })
    .waitFor();
  await window.decide('OK');
  assert.deepEqual(world.portsAt(folder), { '': port });

  // The last change is another one by the time that the question is answered.
  await window.palette('Trop: Undo Last Change');
  await window.dialog.filter({ hasText: `Undo? Port ${api} (tag api) comes back.` }).waitFor();
  const web = world.reserve(folder, '--tag', 'web');
  await window.dialog.getByRole('button', { name: 'Undo', exact: true }).click();
  await window.dialog
    .filter({ hasText: `Undo? Port ${web} (tag web) is given up.` })
    .filter({ hasText: `Port ${web} (tag web) is given up: ${folder}` })
    .waitFor();
  await window.decide('Cancel');
  assert.deepEqual(world.portsAt(folder), { '': port, web });

  await pickFromHistory(window, `1: port ${port} reserved`);
  await window.decide('Undo');
  await eventually('the undo of the first', () => world.portsAt(folder)[''] === undefined);
  assert.deepEqual(world.portsAt(folder), { web });

  await pickFromHistory(window, 'undone by 4');
  await window.told('operation 3 was undone already, by operation 4');
}

async function pickFromHistory(window, row) {
  await window.palette('Trop: Show History');
  await window.asksFor('pick one to undo it');
  await window.choose(row);
}
