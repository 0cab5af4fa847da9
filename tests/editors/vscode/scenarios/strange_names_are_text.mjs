import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const LINK = '[Click](command:workbench.action.showAboutDialog)';
const STRANGE = `$(bug) ${LINK} x\x1b]0;T\u202e`;
const SHOWN = `$(bug) ${LINK} x\\x1b]0;T\\u202e`;
const ICON_AND_LINK = `$(bug) ${LINK}`;

/** What an element shows, as the eye sees it. */
async function read(element) {
  return (await element.innerText()).replaceAll('\u2060', '').replaceAll('\u00a0', ' ');
}

export default async function ({ world, openWindow }) {
  const before = world.repository(`before ${STRANGE}/shop`);
  world.reserve(before, '--tag', ICON_AND_LINK, '--task', ICON_AND_LINK);
  world.reserve(before, '--project', ICON_AND_LINK, '--tag', 'web', '--allow-change');
  const folder = path.join(world.directory('now'), 'shop');
  fs.renameSync(before, folder);
  const window = await openWindow(folder, { settings: { 'trop.reserveOnOpen': 'never' } });

  // A question of the server's.
  const question = (await window.told('Take along')).locator('.notification-list-item-message');
  assert.ok((await read(question)).includes(`before ${SHOWN}/shop`), await read(question));
  assert.equal(await question.locator('a').count(), 0);
  await window.answer('Take along', 'Take Along');

  // The status bar, and what it says of itself.
  await window.showsStatus('bug');
  assert.ok((await read(window.status)).includes(ICON_AND_LINK));
  assert.equal(await window.status.locator('.codicon-bug').count(), 0);
  await window.status.hover();
  const hover = window.page.locator('.monaco-hover table').filter({ hasText: 'Click' });
  await hover.waitFor();
  assert.ok((await read(hover)).includes(ICON_AND_LINK), await read(hover));
  assert.equal(await hover.locator('a, .codicon-bug').count(), 0);

  // The view.
  const rows = await window.reservations();
  await rows.filter({ hasText: 'Click' }).first().waitFor();
  const texts = (await Promise.all((await rows.all()).map(read))).join('\n');
  assert.equal(texts.split(ICON_AND_LINK).length, 4, texts); // A project, a tag and a task.
  assert.equal(await rows.locator('.codicon-bug').count(), 0);

  // A list to pick from, and a dialog.
  await window.palette('Trop: List Projects');
  await window.asksFor('The project whose ports are shown');
  const list = window.page.locator('.quick-input-list');
  await list.getByText('Click').first().waitFor();
  assert.ok((await read(list)).includes(ICON_AND_LINK), await read(list));
  assert.equal(await list.locator('.codicon-bug').count(), 0);
  await window.choose('Click');
  await list.getByText('web').first().waitFor();
  await window.page.keyboard.press('Escape');
  await window.palette('Trop: Show History');
  await window.asksFor('What was done: pick one to undo it');
  await list.getByText('Click').first().waitFor();
  assert.ok((await read(list)).includes(`before ${SHOWN}/shop`), await read(list));
  assert.equal(await list.locator('.codicon-bug').count(), 0);
  await window.choose('trop.'); // The newest, in which they were taken along.
  await window.dialog.waitFor();
  const undo = await read(window.dialog);
  assert.ok(undo.includes(`(tag ${ICON_AND_LINK}) comes back: `), undo);
  assert.ok(undo.includes(`before ${SHOWN}/shop`), undo);
  assert.equal(await window.dialog.locator('.dialog-message-container').locator('a, .codicon-bug').count(), 0);
  await window.decide('Cancel');
  await window.palette('Trop: Release…');
  await window.choose('Click');
  await window.dialog.waitFor();
  assert.ok((await read(window.dialog)).includes(`(tag ${ICON_AND_LINK})`), await read(window.dialog));
  assert.equal(await window.dialog.locator('.dialog-message-container').locator('a, .codicon-bug').count(), 0);
  await window.decide('Cancel');
}
