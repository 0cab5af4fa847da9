// Pictures of what the extension shows, in themes of each kind, for whoever looks at them.
import fs from 'node:fs';
import path from 'node:path';
import { listening } from '../listening.mjs';

const PICTURES = process.env.TROP_SCREENSHOTS;
const THEMES = ['Default Light Modern', 'Default Dark Modern', 'Default High Contrast', 'Default High Contrast Light'];

export default async function ({ world, openWindow }) {
  const shop = world.repository('shop');
  const login = world.worktree(shop, 'shop-login');
  const gone = world.directory('gone');
  const file = path.join(login, 'trop.yaml');
  fs.writeFileSync(file, 'reservations:\n  base: 5000\n  services:\n    web: {offset: 0}\n    api: {}\n    db: 80\n');
  const [own, ownPort] = await listening(login, 0);
  const [foreign, foreignPort] = await listening(login, 0);
  world.trop(login, 'autoreserve');
  world.reserve(login, '--port', `${ownPort}`, '--ignore-occupied');
  world.reserve(shop, '--port', `${foreignPort}`, '--ignore-occupied');
  world.reserve(gone, '--tag', 'web');
  fs.rmdirSync(gone);
  const { TROP_SKIP_OCCUPANCY_CHECK: _, ...environment } = world.environment();
  const window = await openWindow(login, { environment });
  const rows = await window.reservations();
  await rows.locator('.codicon-circle-filled').first().waitFor();

  for (const theme of THEMES) {
    await window.host(
      (vscode, name) => vscode.workspace.getConfiguration('workbench').update('colorTheme', name, true),
      theme,
    );
    const picture = async (name) => {
      const place = path.join(PICTURES ?? world.root, `${name} ${theme}.png`.replaceAll(' ', '-').toLowerCase());
      await window.page.screenshot({ path: place });
    };
    await window.open(file);
    await window.page.getByText(/^Release \d+$/).first().waitFor();
    await window.status.hover();
    await window.page.locator('.monaco-hover table').waitFor();
    await picture('document');
    await window.page.mouse.move(600, 500);
    await window.command('workbench.action.openWalkthrough', 'trop.trop#start');
    await window.page.locator('.getting-started-step').first().waitFor();
    await window.page.locator('.getting-started-media img').first().waitFor();
    await picture('walkthrough');
    await window.command('workbench.action.closeAllEditors');
  }
  own.kill();
  foreign.kill();
}
