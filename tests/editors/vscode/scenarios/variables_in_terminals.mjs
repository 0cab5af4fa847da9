import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const [shop, blog] = [world.repository('shop'), world.repository('blog')];
  fs.writeFileSync(path.join(shop, 'trop.yaml'), 'reservations:\n  services: {web: {}, api: {}}\n');
  const own = world.reserve(shop);
  world.reserve(blog);
  const window = await openWindow(shop, { settings: { 'trop.reserveOnOpen': 'never' } });
  await window.showsStatus(`${own}`);
  await seen(window, world, shop, `${own} none none`);

  // What is reserved meanwhile, new terminals have; PORT is what trop run starts a program with.
  world.trop(shop, 'autoreserve', '--shell', 'sh');
  const { web, api } = world.portsAt(shop);
  await window.showsStatus(`${web} web  ${api} api  ${own}`);
  await seen(window, world, shop, `${web} ${web} ${api}`);
  assert.equal(world.trop(shop, 'run', '--', 'sh', '-c', 'echo $PORT').trim(), `${web}`);

  window.configure({ 'trop.reserveOnOpen': 'never', 'trop.terminal.environment': 'port' });
  await seen(window, world, shop, `${web} none none`);
  window.configure({ 'trop.reserveOnOpen': 'never', 'trop.terminal.environment': 'off' });
  await seen(window, world, shop, 'none none none');
  window.configure({ 'trop.reserveOnOpen': 'never' });
  await seen(window, world, shop, `${web} ${web} ${api}`);

  // Two folders: here, on a server, VS Code does not tell whose a terminal is, and nobody gets another's ports.
  const both = path.join(world.root, 'both.code-workspace');
  fs.writeFileSync(both, JSON.stringify({ folders: [{ path: shop }, { path: blog }] }));
  const second = await openWindow(both, { settings: { 'trop.reserveOnOpen': 'never' } });
  await second.showsStatus(`${web} web`);
  await seen(second, world, blog, 'none none none');
  await seen(second, world, shop, 'none none none');
  assert.deepEqual(world.portsAt(shop), { '': own, web, api });
}

/** Opens terminals in a folder until one has the variables that are waited for. */
async function seen(window, world, folder, expected) {
  const said = path.join(world.root, 'said');
  await eventually(`${expected} in ${folder}`, async () => {
    fs.rmSync(said, { force: true });
    await window.host(
      (vscode, cwd, file) => {
        const terminal = vscode.window.createTerminal({ cwd, shellPath: '/bin/sh' });
        terminal.sendText(`echo "\${PORT:-none} \${WEB_PORT:-none} \${API_PORT:-none}" > ${file}.new; mv ${file}.new ${file}`);
      },
      folder,
      said,
    );
    await eventually('what the terminal says', () => fs.existsSync(said));
    await window.command('workbench.action.terminal.killAll');
    return fs.readFileSync(said, 'utf8').trim() === expected;
  });
}
