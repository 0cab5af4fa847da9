import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const LINK = '[Click](command:workbench.action.showAboutDialog)';

export default async function ({ world, openWindow }) {
  for (const trusted of [false, true]) {
    // A directory can be called so, too: the text comes from the one or the other.
    const folder = world.directory(`${trusted ? 'trusted' : 'untrusted'} ${LINK}`);
    fs.writeFileSync(path.join(folder, 'trop.yaml'), `"${LINK}": 1\n`);
    const window = await openWindow(folder, { trusted, settings: { 'trop.reserveOnOpen': 'never' } });
    await window.status.waitFor();

    await window.palette('Trop: Copy Port');
    const notification = await window.told('[Click]');

    const message = notification.locator('.notification-list-item-message');
    const read = (await message.innerText()).replaceAll('\u2060', '');
    assert.ok(read.includes(LINK), read);
    assert.equal(await message.locator('a').count(), 0);
    assert.equal(await window.dialog.count(), 0);
  }
}
