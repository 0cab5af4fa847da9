// Plays one scenario: node run.mjs scenarios/NAME ROOT. What it writes lies in ROOT, which exists and is empty.
// TROP_TEST_VSCODE: what ./install has made. TROP_TEST_EXTENSIONS: the installed extensions. TROP_TEST_SCRIPTS: where
// trop is. TROP_SCREENSHOTS: where what_the_readme_shows writes its pictures, if they are wanted. TROP_TEST_SECONDS: how
// long random_actions_for_long takes.
import { closeAll, openWindow, pictures, words } from './window.mjs';
import { World } from './world.mjs';

const [name, root] = process.argv.slice(2);
const { default: play } = await import(`./${name}.mjs`);
const world = new World(root);
let failed = false;
try {
  await play({ world, openWindow: (at, options) => openWindow(world, at, options) });
} catch (error) {
  failed = true;
  console.log(error.stack);
  try {
    console.log(`What stood on top: ${JSON.stringify(await words())}`);
    console.log(`What it looked like: ${(await pictures(root)).join(' ')}`);
  } catch (second) {
    console.log(`There is no picture: ${second.message}`);
  }
} finally {
  await closeAll();
}
process.exit(failed ? 1 : 0);
