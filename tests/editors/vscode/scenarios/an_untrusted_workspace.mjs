import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const other = world.reserve(world.directory('shop/app'));
  const traces = ['configured', 'workspace'].map((name) => path.join(world.root, `${name}-has-run`));
  const configured = program(path.join(world.root, 'configured-server'), `touch ${traces[0]}; exit 1`);
  program(path.join(folder, '.venv/bin/trop-server'), `touch ${traces[1]}; exec "${world.bin}/trop-server" "$@"`);
  fs.mkdirSync(path.join(folder, '.vscode'));
  fs.writeFileSync(path.join(folder, '.vscode/settings.json'), JSON.stringify({ 'trop.server.path': configured }));
  const window = await openWindow(folder, { trusted: false });

  await window.showsStatus('Trop');
  await window.palette('Trop: Reserve Port for This Folder');
  await window.told('Restricted Mode');
  await window.command('notifications.clearAll');
  await window.palette('Trop: Migrate Reservations'); // Nothing is to be picked for what is refused then.
  await window.told('Restricted Mode');
  assert.equal(await window.command('trop.port'), null);
  await window.command('trop.openProjectFile');
  assert.ok(!fs.existsSync(path.join(folder, 'trop.yaml')));
  await assert.rejects(window.command('trop.reserve', {}), /Restricted Mode/);
  await assert.rejects(window.command('trop.undo', { any: true }), /Restricted Mode/);
  await window.palette('Trop: Show History'); // What was done may be seen.
  await window.asksFor('What was done');
  await window.choose(`1: port ${other} reserved`); // A question would be in the way of all that follows.
  await window.rename('app', 'site');
  await eventually('the renamed directory', () => fs.existsSync(path.join(folder, 'site')));
  world.trop(folder, 'reserve', '--port', '6543');
  await window.showsStatus('6543'); // What others reserve is shown.
  assert.equal(await window.command('trop.port'), '6543');
  assert.equal(await window.command('trop.url'), 'http://localhost:6543/');
  world.trop(folder, 'release');

  assert.equal(await window.command('trop.port'), null);
  assert.deepEqual(
    world.stored().map(({ port }) => port),
    [other],
  );
  assert.deepEqual(world.portsAt(path.join(folder, 'app')), { '': other });
  assert.deepEqual(traces.map(fs.existsSync), [false, false]);

  fs.rmSync(path.join(folder, '.vscode/settings.json'));
  await window.answer('Restricted Mode', 'Manage Workspace Trust');
  const trust = window.page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true });
  await trust.click();
  // A click while the page is drawn anew is lost.
  await eventually('the trust', async () => !(await trust.isVisible()) || trust.click({ timeout: 1000 }));

  await window.showsStatus(/\d+/);
  assert.ok(world.portsAt(folder)['']);
  assert.ok(fs.existsSync(traces[1]));
}

function program(file, script) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}
