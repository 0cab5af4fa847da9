import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const server = path.join(world.bin, 'trop-server');
  const program = fs.readlinkSync(server);
  const pids = path.join(world.root, 'pids');
  fs.rmSync(server);
  fs.writeFileSync(server, `#!/bin/sh\necho $$ >> ${pids}\nexec sleep 1000\n`, { mode: 0o755 });
  const window = await openWindow(folder);

  await window.page.locator('.activitybar').getByRole('tab', { name: 'Trop' }).click();
  await window.page.getByText('The server is starting.').waitFor();
  await window.told('has not answered yet');
  const [silent] = started(pids);
  fs.rmSync(server);
  fs.writeFileSync(server, `#!/bin/sh\necho $$ >> ${pids}\nexec ${program} "$@"\n`, { mode: 0o755 });
  await window.answer('has not answered yet', 'Restart Server');
  await window.showsStatus(/\d+/);
  await eventually('the end of the silent one', () => !fs.existsSync(`/proc/${silent}`));

  const running = started(pids).at(-1);
  process.kill(running, 'SIGSTOP');
  await window.page.getByText("Trop's server does not answer.").waitFor(); // In the view, in place of what may be old.
  await eventually('the sign of it in the status bar', () => window.status.locator('.codicon-error').isVisible());
  await window.status.click();
  await window.showsStatus(/\d+/);
  await eventually('the end of the stopped one', () => !fs.existsSync(`/proc/${running}`));
}

/** The processes that were started as a server, in this order. */
function started(pids) {
  return fs.readFileSync(pids, 'utf8').trim().split('\n').map(Number);
}
