// Takes a VS Code that knows MCP (1.101 or later); the one that ./install makes is older, and Node 20 runs no newer one.
import assert from 'node:assert/strict';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const window = await openWindow(folder, { userSettings: { 'chat.disableAIFeatures': false } });
  await window.showsStatus(/\d+/);

  await window.palette('MCP: List Servers');
  const rows = window.page.locator('.quick-input-list .monaco-list-row');
  await rows.filter({ hasText: 'Trop' }).first().waitFor();
  await window.page.screenshot({ path: path.join(world.root, 'servers.png') });
  await window.choose('Trop');
  await window.choose('Start Server');
  await eventually('the tools', () => tools(window));
  await window.page.screenshot({ path: path.join(world.root, 'started.png') });

  // One that changes nothing: for any other, VS Code asks first.
  const api = world.reserve(folder, '--tag', 'api');
  assert.ok((await listed(window)).includes(`"port":${api},`));

  // The language server is started anew, and the agents' goes on.
  await window.command('trop.restartServer');
  assert.ok((await listed(window)).includes(`"port":${api},`));

  // Another store, and the definition follows.
  const elsewhere = path.join(world.root, 'elsewhere');
  window.configure({ 'trop.dataDir': elsewhere, 'trop.reserveOnOpen': 'never' });
  await window.showsStatus('Reserve Port');
  await window.palette('MCP: List Servers');
  await window.choose('Trop');
  await window.choose('Start Server'); // VS Code has stopped that of the other store.
  const there = world.trop(folder, 'reserve', '--data-dir', elsewhere, '--tag', 'there').trim();
  await eventually('the other store', async () => (await listed(window)).includes(`"port":${there},`));
  await window.page.screenshot({ path: path.join(world.root, 'restarted.png') });
}

async function tools(window) {
  return window.host((vscode) => vscode.lm.tools.map((tool) => tool.name).filter((name) => name.includes('trop_')).length);
}

function listed(window) {
  return window.host(async (vscode) => {
    const { name } = vscode.lm.tools.find((tool) => tool.name.endsWith('trop_list'));
    const { content } = await vscode.lm.invokeTool(name, { input: {}, toolInvocationToken: undefined });
    return content.map((part) => part.value).join('');
  });
}
