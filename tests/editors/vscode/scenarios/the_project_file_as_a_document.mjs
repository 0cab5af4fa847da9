import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

export default async function ({ world, openWindow }) {
  const folder = world.repository('shop');
  const file = path.join(folder, 'trop.yaml');
  fs.writeFileSync(file, 'reservations:\n  services:\n    web: {}\n    api: {}\n');
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' } });
  await window.showsStatus('Reserve Port');

  // It is a language of its own, with a lens that reserves.
  await window.open(file);
  assert.equal(await window.host((vscode) => vscode.window.activeTextEditor.document.languageId), 'trop');
  await window.page.getByRole('button', { name: 'Reserve 2 of 2' }).click();
  await eventually('the ports of the group', () => world.portsAt(folder).api !== undefined);
  const { web, api } = world.portsAt(folder);
  await window.showsStatus(`${web}`);
  await window.page.locator('.statusbar').getByText(`Reserved: web ${web}, api ${api}.`).waitFor();
  await window.page.getByText(`Release ${api}`, { exact: true }).waitFor();

  // A release asks first, also where a lens has it.
  await window.page.getByText(`Release ${api}`, { exact: true }).click();
  await window.dialog.filter({ hasText: `Release port ${api} (tag api)?` }).waitFor();
  await window.decide('Cancel');
  assert.deepEqual(world.portsAt(folder), { web, api });

  // What is reserved is what is seen: a file that was changed is saved first.
  await window.write(file, 'reservations:\n  services:\n    web: {}\n    api: {}\n    db: {}\n');
  await window.page.getByRole('button', { name: 'Save and reserve the services' }).click();
  await eventually('the port of the new service', () => world.portsAt(folder).db !== undefined);
  const { db } = world.portsAt(folder);
  assert.match(fs.readFileSync(file, 'utf8'), /db/);
  await window.page.locator('.statusbar').getByText(`Reserved: web ${web}, api ${api}, db ${db}.`).waitFor();
  await window.write(file, 'reservations:\n  services:\n    web: {}\n    api: {}\n    db: {}\n    mail: {}\n');
  await window.palette('Trop: Reserve Services');
  await window.told('shop: ');
  assert.deepEqual(Object.keys(world.portsAt(folder)).toSorted(), ['api', 'db', 'mail', 'web']);
  await window.command('notifications.clearAll');
  world.trop(folder, 'release', '--tag', 'mail');
  world.trop(folder, 'release', '--tag', 'db');

  // What is wrong is said at its place, and the bar still has the port.
  await window.write(file, 'reservatons:\n  services: {web: {}}\n');
  const [problem] = await eventually('the problem', async () => {
    const found = await window.problems(file);
    return found.length > 0 && found;
  });
  assert.equal(problem.source, 'trop');
  assert.deepEqual(problem.start, [0, 0]);
  assert.match(problem.message, /reservations/);
  await window.showsStatus(`${web}`);

  // An action mends it.
  await window.command('editor.action.marker.next');
  const fixes = await window.host(
    async (vscode, name) => {
      const uri = vscode.Uri.file(name);
      const range = new vscode.Range(0, 0, 0, 5);
      const actions = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, range);
      const [fix] = actions.filter((action) => action.edit);
      await vscode.workspace.applyEdit(fix.edit);
      return fix.title;
    },
    file,
  );
  assert.match(fixes, /reservations/);
  await eventually('no such problem', async () => {
    const left = await window.problems(file);
    return !left.some(({ message }) => message.includes('reservatons'));
  });

  // Completion and hover come from the server.
  const words = await window.host(async (vscode, name) => {
    const uri = vscode.Uri.file(name);
    const list = await vscode.commands.executeCommand('vscode.executeCompletionItemProvider', uri, new vscode.Position(2, 0));
    const hovers = await vscode.commands.executeCommand('vscode.executeHoverProvider', uri, new vscode.Position(0, 3));
    return { labels: list.items.map((item) => item.label), hover: hovers[0].contents[0].value };
  }, file);
  assert.ok(words.labels.includes('ports'), JSON.stringify(words.labels));
  assert.match(words.hover, /services/);

  // A file of nearly the right name is told so.
  const near = path.join(folder, 'trop.yml');
  fs.writeFileSync(near, 'reservations:\n  services: {web: {}}\n');
  await window.open(near);
  const [told] = await eventually('what is said of the name', async () => {
    const found = await window.problems(near);
    return found.length > 0 && found;
  });
  assert.match(told.message, /the file has to be called trop\.yaml/);
  await window.page.screenshot({ path: path.join(world.root, 'near.png') });
}
