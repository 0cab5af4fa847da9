import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const PICTURES = process.env.TROP_SCREENSHOTS;

export default async function ({ world, openWindow }) {
  const shop = world.repository('shop');
  const login = world.worktree(shop, 'shop-login');
  const bank = world.repository('bank');
  const [listener, port] = await listening(login, PICTURES ? 5001 : 0);
  world.reserve(login, '--port', `${port}`, '--ignore-occupied');
  world.reserve(login, '--tag', 'api');
  world.reserve(shop);
  world.reserve(bank);
  const { TROP_SKIP_OCCUPANCY_CHECK: _, ...environment } = world.environment();
  const window = await openWindow(login, { environment });
  await window.page.setViewportSize({ width: 900, height: 560 });
  const picture = async (name) => {
    await window.page.screenshot({ path: path.join(PICTURES ?? world.root, `${name}.png`) });
  };

  const rows = await window.reservations();
  await window.host(
    async (vscode, file) => {
      await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
    },
    path.join(login, 'serve.sh'),
  );
  await rows.filter({ hasText: 'bank' }).first().waitFor();
  await window.page.locator('.pane-header', { hasText: 'shop-login' }).click(); // The view has the room of the files.
  await rows.locator('.codicon-circle-filled').waitFor();
  await window.status.hover();
  const table = window.page.locator('.monaco-hover table').filter({ hasText: 'api' });
  await table.filter({ hasText: `node (${listener.pid}) of this folder listens` }).waitFor();
  await picture('overview');

  await window.page.locator('.pane-header', { hasText: 'shop-login' }).click();
  await window.palette('Trop: Migrate Reservations…');
  await window.asksFor('Migrate Reservations (1/2)');
  await window.choose(shop);
  await window.asksFor('Migrate Reservations (2/2)');
  await window.choose('Another Directory…');
  await window.asksFor('The directory that they move to');
  await window.type(path.join(world.work, 'store'));
  await window.page.keyboard.press('Enter');
  await window.dialog.filter({ hasText: 'Migrate' }).waitFor();
  await picture('migrate');
  await window.decide('Cancel');
  listener.kill();
}

/** Starts a program in a directory that listens; gives it and its port. */
async function listening(cwd, wanted) {
  const program = `const s = require('node:net').createServer().listen(${wanted}, '127.0.0.1', () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', program], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout, 'data');
  return [child, Number(said)];
}
