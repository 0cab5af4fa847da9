import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folders = ['shop', 'bank'].map((name) => world.repository(name));
  const file = path.join(world.work, 'both.code-workspace');
  fs.writeFileSync(file, JSON.stringify({ folders: folders.map((at) => ({ path: at })) }));
  const window = await openWindow(file);
  await window.showsStatus(/\d+ · shop/);
  const [shop, bank] = await eventually('both ports', () => {
    const ports = folders.map((at) => world.portsAt(at)['']);
    return ports.every(Boolean) && ports;
  });
  assert.notEqual(shop, bank);

  await window.host(
    async (vscode, at) => {
      await vscode.window.showTextDocument(vscode.Uri.file(at));
    },
    path.join(folders[1], 'serve.sh'),
  );
  await window.showsStatus(`${bank} · bank`);
  assert.equal(await window.command('trop.port'), `${bank}`);

  await window.palette('Trop: Copy Port');
  await window.asksFor('The port to copy');
  await window.choose('shop');
  await eventually('the picked port', async () => (await window.clipboard()) === `${shop}`);

  await window.palette('Trop: Reserve Tagged Port…');
  await window.asksFor('The folder to reserve a port for');
  await window.choose('bank');
  await window.asksFor('A tagged port for bank');
  await window.type('api');
  await window.page.keyboard.press('Enter');
  await eventually('the tagged port', () => world.portsAt(folders[1]).api);
  assert.deepEqual(Object.keys(world.portsAt(folders[0])), ['']);
}
