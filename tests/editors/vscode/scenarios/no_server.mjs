import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const server = path.join(world.bin, 'trop-server');
  const program = fs.readlinkSync(server);
  fs.rmSync(server);
  const window = await openWindow(folder);

  await window.told('checkout of trop');
  await window.answer('checkout of trop', 'Copy Install Command');
  await eventually('the copied command', async () => (await window.clipboard()).includes('pip install'));

  await window.palette('Trop: Restart Server');
  await window.page.locator('.monaco-workbench').click({ position: { x: 640, y: 300 } });
  assert.equal(await window.command('trop.copyPort'), null);
  await window.told('is not running');
  assert.equal(await window.notification('checkout of trop').count(), 0); // It is told once.
  await window.status.click();
  await window.told('checkout of trop'); // Unless somebody asks.

  fs.symlinkSync(program, server);
  await window.palette('Trop: Restart Server');
  await window.showsStatus(/\d+/);
  assert.ok(world.portsAt(folder)['']);
}
