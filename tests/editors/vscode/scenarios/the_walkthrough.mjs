import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../eventually.mjs';

const STEPS = [
  'Get a port for this folder',
  'Name the services of a project',
  'See who uses which port',
  'Take something back',
];

export default async function ({ world, openWindow }) {
  const folder = world.directory('shop');
  const file = path.join(folder, 'trop.yaml');
  const window = await openWindow(folder);
  await window.showsStatus('Reserve Port');
  await window.command('workbench.action.openWalkthrough', 'trop.trop#start');
  const steps = window.page.locator('.getting-started-step');
  await steps.first().waitFor();
  assert.deepEqual((await steps.locator('.step-title').allInnerTexts()).map((title) => title.trim()), STEPS);
  const step = async (title) => {
    const found = steps.filter({ hasText: title });
    await found.locator('.step-title').click();
    await window.page.locator('.getting-started-step.expanded').filter({ hasText: title }).waitFor();
    return found;
  };
  const isDone = (found) => found.locator('.codicon-getting-started-step-checked').waitFor();

  const port = await step(STEPS[0]);
  await picture(window, 'The port 5001 in the status bar');
  await window.page.screenshot({ path: path.join(world.root, 'port.png') });
  await port.getByRole('button', { name: 'Reserve Port for This Folder' }).click();
  await window.showsStatus(/\d+/);
  await isDone(port);

  // A file is created once the question for it is answered, and not before.
  const services = await step(STEPS[1]);
  await eventually('the example', async () => {
    const texts = await Promise.all(window.page.frames().map((frame) => frame.locator('body').innerText()));
    return texts.some((text) => text.includes('WEB_PORT=5000'));
  });
  await window.page.screenshot({ path: path.join(world.root, 'services.png') });
  await services.getByRole('button', { name: 'Open trop.yaml' }).click();
  await window.dialog.filter({ hasText: 'Create trop.yaml in shop?' }).filter({ hasText: file }).waitFor();
  await window.page.screenshot({ path: path.join(world.root, 'question.png') });
  await window.decide('Cancel');
  assert.ok(!fs.existsSync(file));
  await services.getByRole('button', { name: 'Open trop.yaml' }).click();
  await window.decide('Create');
  await window.page.getByText('Reserve 2 of 2').waitFor(); // The server finds it right, and offers what comes next.
  await window.page.screenshot({ path: path.join(world.root, 'file.png') });
  await window.command('workbench.action.closeActiveEditor');
  fs.writeFileSync(file, 'reservations: {services: {web: {}}}\n');
  await window.palette('Trop: Open trop.yaml'); // What is there is opened as it is.
  const text = () => window.host((vscode) => vscode.window.activeTextEditor?.document.getText());
  await eventually('the file that was there', async () => (await text()) === fs.readFileSync(file, 'utf8'));
  assert.equal(await window.dialog.count(), 0);

  await window.command('workbench.action.openWalkthrough', 'trop.trop#start');
  const view = await step(STEPS[2]);
  await picture(window, 'The reservations of two projects');
  await view.getByRole('button', { name: 'Show Reservations' }).click();
  const rows = await window.reservations();
  await rows.filter({ hasText: `${world.portsAt(folder)['']}` }).waitFor();
  await isDone(view);
  await window.page.screenshot({ path: path.join(world.root, 'view.png') });

  const undo = await step(STEPS[3]);
  await picture(window, 'A question: Undo?');
  await window.page.screenshot({ path: path.join(world.root, 'undo.png') });
  await undo.getByRole('button', { name: 'Undo Last Change' }).click();
  await window.decide('Undo');
  await eventually('the undo', () => world.stored().length === 0);
  await isDone(undo);
}

/** Waits until a step's picture is drawn, which it is only where it is in the package. */
async function picture(window, alternative) {
  const image = window.page.locator(`.getting-started-media img[alt^="${alternative}"]`);
  await eventually(`the picture: ${alternative}`, () => image.evaluate(({ naturalWidth }) => naturalWidth > 0));
}
