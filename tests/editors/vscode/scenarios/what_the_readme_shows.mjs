import path from 'node:path';
import { listening } from '../listening.mjs';

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
  const picture = async (name, clip) => {
    await window.page.screenshot({ path: path.join(PICTURES ?? world.root, `${name}.png`), clip });
  };

  const rows = await window.reservations();
  await window.host(
    async (vscode, file) => {
      await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
    },
    path.join(login, 'serve.sh'),
  );
  await rows.filter({ hasText: 'bank' }).first().waitFor();
  await rows.filter({ hasText: `${port}` }).locator('.codicon-circle-filled').waitFor();
  await picture('view', { ...(await window.page.locator('.part.sidebar').boundingBox()), height: 260 });
  await window.status.hover();
  const table = window.page.locator('.monaco-hover table').filter({ hasText: 'api' });
  await table.filter({ hasText: `node (${listener.pid}) of this folder listens` }).waitFor();
  await picture('overview');

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

  await window.palette('Trop: Undo Last Change');
  await window.dialog.filter({ hasText: 'Port 5000 (tag api) is given up' }).waitFor();
  await picture('undo');
  await window.decide('Cancel');
  listener.kill();
}
