import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.directory('shop');
  fs.mkdirSync(path.join(folder, '.vscode'));
  const shell = { type: 'shell', problemMatcher: [] };
  const tasks = [
    { ...shell, label: 'serve', command: 'echo ${command:trop.port} > served.tmp && mv served.tmp served' },
    { ...shell, label: 'serve api', command: 'echo ${input:api} > api.tmp && mv api.tmp api' },
  ];
  const inputs = [{ id: 'api', type: 'command', command: 'trop.port', args: { tag: 'api' } }];
  fs.writeFileSync(path.join(folder, '.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks, inputs }));
  const window = await openWindow(folder);
  await window.showsStatus('Reserve Port');

  const printed = {};
  for (const [label, file] of [
    ['serve', 'served'],
    ['serve api', 'api'],
  ]) {
    await window.host(async (vscode, name) => {
      const task = (await vscode.tasks.fetchTasks()).find((one) => one.name === name);
      await vscode.tasks.executeTask(task);
    }, label);
    const at = path.join(folder, file);
    await eventually(`what ${label} writes`, () => fs.existsSync(at));
    printed[file] = Number(fs.readFileSync(at, 'utf8'));
  }

  assert.deepEqual(world.portsAt(folder), { '': printed.served, api: printed.api });

  // Where the folder has services, the port is that of the address, and no other one.
  const services = 'reservations: {services: {api: {}, web: {}}}\n';
  fs.writeFileSync(path.join(folder, 'trop.yaml'), services);
  const command = (id) => window.host((vscode, name) => vscode.commands.executeCommand(name), id);
  const port = await command('trop.port');
  assert.equal(Number(port), world.portsAt(folder).web);
  assert.equal(await command('trop.url'), `http://localhost:${port}/`);
}
