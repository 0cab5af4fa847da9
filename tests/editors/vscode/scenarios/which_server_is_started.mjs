import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const own = noting(world, path.join(folder, '.venv/bin/trop-server'), 'environment');
  const interpreter = path.join(world.root, 'python/bin/python');
  noting(world, path.join(path.dirname(interpreter), 'trop-server'), 'interpreter');
  const environment = { ...world.environment(), TROP_TEST_INTERPRETER: interpreter };
  const window = await openWindow(folder, { environment });
  await window.showsStatus(/\d+/);
  assert.deepEqual(started(world), ['environment']); // It goes before the one on PATH.

  const configured = noting(world, path.join(world.root, 'my-server'), 'setting');
  window.configure({ 'trop.server.path': configured, 'trop.server.args': ['--stdio'] });
  await eventually('the configured server', () => started(world).includes('setting --stdio'));
  await window.showsStatus(/\d+/);

  window.configure({ 'trop.server.path': '${workspaceFolder}/nothing' });
  await window.told(`names no program that can be started: ${folder}/nothing`);
  window.configure({ 'trop.server.path': noting(world, path.join(world.root, 'broken'), 'broken', 'exit 3') });
  await window.told('could not be started. The log says more.');
  await window.showsStatus('Trop');

  fs.rmSync(own);
  window.configure({});
  await eventually("the interpreter's server", () => started(world).includes('interpreter'));
  await window.showsStatus(/\d+/);
  assert.deepEqual(started(world), ['environment', 'setting --stdio', 'broken', 'interpreter']);
}

/** A server that notes that it was started, and how. */
function noting(world, file, name, then = `exec "${world.bin}/trop-server" "$@"`) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\necho ${name} $* >> ${world.root}/started\n${then}\n`, { mode: 0o755 });
  return file;
}

function started(world) {
  return fs
    .readFileSync(path.join(world.root, 'started'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim());
}
