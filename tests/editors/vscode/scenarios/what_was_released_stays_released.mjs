import assert from 'node:assert/strict';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const window = await openWindow(folder);
  await window.showsStatus(/^\s*\d+\s*$/);

  world.trop(folder, 'release');
  await window.showsStatus('Reserve Port');
  const first = await processes(window);
  await window.palette('Trop: Restart Server');
  const second = await eventually('another server', () => others(window, { server: first.server }));
  await window.showsStatus('Reserve Port');
  assert.deepEqual(world.stored(), []);

  process.kill(second.host, 'SIGKILL'); // VS Code starts another one by itself.
  await eventually('another extension host', () => others(window, second));
  await window.showsStatus('Reserve Port');
  assert.deepEqual(world.stored(), []);

  // Another window opens the folder for the first time.
  const other = await openWindow(folder);
  await other.showsStatus(/^\s*\d+\s*$/);
  assert.equal(world.stored().length, 1);
}

/** The processes, once none of them is one of those from before. */
async function others(window, before) {
  const now = await processes(window);
  return now.server && Object.keys(before).every((name) => now[name] !== before[name]) && now;
}

/** The extension host, and the server that it has started. */
function processes(window) {
  return window.host(() => {
    const children = process
      .getBuiltinModule('node:fs')
      .readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
      .trim()
      .split(' ');
    const server = children.find((pid) => {
      try {
        return process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('trop-server');
      } catch {
        return false; // It is gone by now.
      }
    });
    return { host: process.pid, server };
  });
}
