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
  const reserve = () => window.command('trop.reserveGroup', { config: file });
  const [said] = await Promise.all([
    window.mentions(/^Reserved: /, reserve),
    window.lens('Reserve 2 of 2', () => world.portsAt(folder).api !== undefined),
  ]);
  const { web, api } = world.portsAt(folder);
  assert.equal(said, `Reserved: web ${web}, api ${api}.`);
  await window.showsStatus(`${web}`);

  // A release asks first, also where a lens has it.
  const question = window.dialog.filter({ hasText: `Release port ${api} (tag api)?` });
  await window.lens(`Release ${api}`, () => question.isVisible());
  await window.decide('Cancel');
  assert.deepEqual(world.portsAt(folder), { web, api });

  // What is reserved is what is seen: a file that was changed is saved first.
  await window.write(file, 'reservations:\n  services:\n    web: {}\n    api: {}\n    db: {}\n');
  const [saidOfThree] = await Promise.all([
    window.mentions(/^Reserved: .* db /, reserve),
    window.lens('Save and reserve the services', () => world.portsAt(folder).db !== undefined),
  ]);
  const { db } = world.portsAt(folder);
  assert.equal(saidOfThree, `Reserved: web ${web}, api ${api}, db ${db}.`);
  assert.match(fs.readFileSync(file, 'utf8'), /db/);
  await window.write(file, 'reservations:\n  services:\n    web: {}\n    api: {}\n    db: {}\n    mail: {}\n');
  await window.palette('Trop: Reserve Services');
  await window.told('shop: ');
  assert.deepEqual(Object.keys(world.portsAt(folder)).toSorted(), ['api', 'db', 'mail', 'web']);
  await window.command('notifications.clearAll');

  // While VS Code saves it by itself, and something still formats it, it saves nothing for others.
  await window.write(file, 'reservations:\n  services:\n    web: {}\n    api: {}\n    mail: {}\n    chat: {}\n');
  await window.host(async (vscode, config) => {
    const [document] = vscode.workspace.textDocuments.filter(({ fileName }) => fileName === config);
    let formatted;
    const begun = new Promise((resolve) => {
      const listener = vscode.workspace.onWillSaveTextDocument((event) => {
        event.waitUntil(new Promise((done) => (formatted = done)));
        resolve(listener);
      });
    });
    const saved = document.save();
    (await begun).dispose();
    const reserved = vscode.commands.executeCommand('trop.reserveGroup', { config });
    setTimeout(formatted, 500);
    await Promise.all([saved, reserved]);
  }, file);
  assert.deepEqual(Object.keys(world.portsAt(folder)).toSorted(), ['api', 'chat', 'db', 'mail', 'web']);
  world.trop(folder, 'release', '--tag', 'chat');
  world.trop(folder, 'release', '--tag', 'mail');
  world.trop(folder, 'release', '--tag', 'db');

  // However a key's argument spells it, or the folder, it is saved, and none that does not count: one above the
  // repository is nobody's here.
  const outer = path.join(world.work, 'trop.yaml');
  fs.writeFileSync(outer, 'project: outer\n');
  await window.write(outer, 'project: typed\n');
  const link = path.join(world.work, 'link');
  fs.symlinkSync(folder, link);
  for (const [tag, command, argument] of [
    ['one', 'trop.reserveGroup', { config: 'trop.yaml' }],
    ['two', 'trop.reserveGroup', { config: `file://${file}` }],
    ['three', 'trop.autoreserve', { folder: link }],
  ]) {
    await window.write(file, `reservations:\n  services:\n    web: {}\n    api: {}\n    ${tag}: {}\n`);
    await window.command(command, argument);
    assert.deepEqual(Object.keys(world.portsAt(folder)).toSorted(), ['api', tag, 'web'].toSorted());
    world.trop(folder, 'release', '--tag', tag);
  }
  assert.equal(fs.readFileSync(outer, 'utf8'), 'project: outer\n');

  // Where services would give ports up, the question names them, and what has changed meanwhile is asked anew.
  const wanted = (ports) => {
    const services = Object.entries(ports).map(([tag, port]) => `    ${tag}: {preferred: ${port}}\n`);
    return `reservations:\n  services:\n${services.join('')}`;
  };
  await window.write(file, wanted({ web: web + 100, api }));
  await window.command('workbench.action.files.save');
  await window.host((vscode, config) => {
    void vscode.commands.executeCommand('trop.reserveGroup', { config, force: true });
  }, file);
  await window.dialog.filter({ hasText: 'Give up 1 port for others?' }).waitFor();
  fs.writeFileSync(file, wanted({ web: web + 100, api: web + 101 }));
  await window.dialog.getByRole('button', { name: 'Reserve Others', exact: true }).click();
  await window.dialog
    .filter({ hasText: 'Give up 2 ports for others?' })
    .filter({ hasText: `Port ${api} (tag api) is given up for port ${web + 101}` })
    .waitFor();
  assert.deepEqual(world.portsAt(folder), { web, api });
  await window.decide('Reserve Others');
  await eventually('the other ports', () => world.portsAt(folder).api === web + 101);
  assert.deepEqual(world.portsAt(folder), { web: web + 100, api: web + 101 });
  await window.showsStatus(`${web + 100}`);

  // What is wrong is said at its place, and the bar still has the port.
  await window.write(file, 'reservatons:\n  services: {web: {}}\n');
  const problem = await eventually('the problem', async () => {
    const found = await window.problems(file);
    return found.find(({ message }) => message.includes('did you mean reservations?'));
  });
  assert.equal(problem.source, 'trop');
  assert.deepEqual(problem.start, [0, 0]);
  await window.showsStatus(`${web + 100}`);

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
    return !left.some(({ message }) => message === problem.message);
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
