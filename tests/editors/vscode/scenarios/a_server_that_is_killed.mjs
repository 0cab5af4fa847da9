import assert from 'node:assert/strict';
import fs from 'node:fs';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const window = await openWindow(folder);
  await window.showsStatus(/\d+/);
  const host = await window.host(() => process.pid);
  const server = () => eventually('a server', () => servers(host)[0]);

  let pid = await server();
  for (let time = 1; time <= 4; time++) {
    process.kill(pid, 'SIGKILL');
    const last = pid;
    pid = await eventually(`the server's return after death ${time}`, () => servers(host).find((one) => one !== last));
    const answered = () =>
      window.host((vscode, at) => vscode.commands.executeCommand('trop.port', { folder: at }), folder);
    await eventually('an answer', async () => Number(await answered()) === world.portsAt(folder)['']);
  }

  process.kill(pid, 'SIGKILL');
  await window.told('has crashed several times');
  assert.deepEqual(servers(host), []);
  await window.answer('has crashed several times', 'Restart Server');
  await server();
  await window.showsStatus(/\d+/);
}

/** The processes of trop-server that an extension host has started. */
function servers(host) {
  const children = fs.readFileSync(`/proc/${host}/task/${host}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.map(Number).filter((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('trop-server');
    } catch {
      return false; // It is gone by now.
    }
  });
}
