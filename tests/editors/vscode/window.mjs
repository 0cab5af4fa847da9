// A window of a real VS Code in a headless Chromium: what a person sees and does, and an ear in its extension host.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { eventually, PATIENCE } from './eventually.mjs';

const INSTALLED = process.env.TROP_TEST_VSCODE;
const { chromium } = createRequire(`${INSTALLED}/package.json`)('playwright-core');

const USER_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.reduceMotion': 'on',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'files.autoSave': 'off', // as it is in a window of its own; in a browser, a change is saved after a second
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'explorer.compactFolders': false,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
  'chat.disableAIFeatures': true,
};

let browser;
const open = [];

/** Ends the browser and every window, with all their processes. */
export async function closeAll() {
  await browser?.close();
  await Promise.all(open.map((window) => window.stop()));
}

/** Pictures of all open windows, for whoever looks at a failure; returns their files. */
export async function pictures(directory) {
  const pages = open.flatMap((window) => window.page ?? []);
  const files = pages.map((_, number) => path.join(directory, `failure-${number}.png`));
  await Promise.all(pages.map((page, number) => page.screenshot({ path: files[number] })));
  return files;
}

/** The texts of what lies on top in all open windows, for whoever cannot look at the pictures. */
export async function words() {
  const pages = open.flatMap((window) => window.page ?? []);
  const boxes = '.monaco-dialog-box, .monaco-menu, .quick-input-widget, .notification-list-item';
  return Promise.all(pages.map((page) => page.locator(boxes).filter({ visible: true }).allInnerTexts()));
}

/**
 * Opens a window and waits for its workbench.
 *
 * `at` is a folder or a .code-workspace file; `settings` are those of this machine, `userSettings` those of the person;
 * `trusted: false` opens it in Restricted Mode; `environment` replaces the world's.
 */
export async function openWindow(world, at, given = {}) {
  const { settings = {}, userSettings = {}, trusted = true, environment = world.environment() } = given;
  const window = new Window(fs.mkdtempSync(path.join(world.root, 'window-')));
  open.push(window);
  await window.start(at, { settings, userSettings, trusted, environment });
  return window;
}

class Window {
  constructor(directory) {
    this.directory = directory;
    // The path of a socket may have no more than a hundred characters.
    this.sockets = fs.mkdtempSync(path.join(os.tmpdir(), 'trop-'));
    this.socket = path.join(this.sockets, 'probe');
  }

  async start(at, { settings, userSettings, trusted, environment }) {
    const profile = path.join(this.directory, 'profile');
    writeJson(path.join(profile, 'User', 'settings.json'), { ...USER_SETTINGS, ...userSettings });
    this.machineSettings = path.join(profile, 'Machine', 'settings.json');
    writeJson(this.machineSettings, settings);
    const flags = ['--accept-server-license-terms', '--disable-telemetry', '--without-connection-token'];
    const places = ['--server-data-dir', path.join(this.directory, 'data'), '--user-data-dir', profile];
    this.process = spawn(
      path.join(INSTALLED, 'node'),
      [
        path.join(INSTALLED, 'vscode/out/server-main.js'),
        ...[...flags, ...places, '--extensions-dir', process.env.TROP_TEST_EXTENSIONS],
        ...['--host', '127.0.0.1', '--port', '0', ...(trusted ? ['--disable-workspace-trust'] : [])],
      ],
      {
        // A group of its own, so that its many processes can be ended together.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        // No marketplace, and the variables as they are rather than as a login shell sets them.
        env: { ...environment, EXTENSIONS_GALLERY: '{"serviceUrl":""}', VSCODE_CLI: '1', TROP_TEST_PROBE: this.socket },
      },
    );
    const port = await this.listeningPort();
    browser ??= await chromium.launch({
      executablePath: path.join(INSTALLED, 'chromium'),
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
        ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
        // Nothing but this machine can be reached.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      ],
    });
    this.page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    this.page.setDefaultTimeout(PATIENCE);
    await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const kind = at.endsWith('.code-workspace') ? 'workspace' : 'folder';
    await this.page.goto(`http://127.0.0.1:${port}/?${kind}=${encodeURIComponent(at)}`, {
      waitUntil: 'domcontentloaded',
    });
    await this.page.locator('.monaco-workbench').waitFor();
    this.shown = performance.now();
    await eventually('the extension host', () => fs.existsSync(this.socket));
    this.extensible = performance.now();
  }

  /** The item of the status bar. */
  get status() {
    return this.page.locator('[id="trop.trop.port"]');
  }

  /** Waits until the status bar shows a text. */
  async showsStatus(text) {
    await this.status.filter({ hasText: text }).waitFor();
  }

  /**
   * What the status bar says for a few seconds: to be awaited together with what it is said of. A busy machine may have
   * shown nothing of it by then; `again` has it said once more.
   */
  async mentions(pattern, again) {
    const find = (source) => {
      const items = [...document.querySelectorAll('.statusbar-item-label')];
      return items.map(({ innerText }) => innerText.trim()).find((text) => new RegExp(source).test(text));
    };
    return eventually(`${pattern} in the status bar`, async () => {
      try {
        const said = await this.page.waitForFunction(find, pattern.source, { timeout: 10_000 });
        return await said.jsonValue();
      } catch {
        await again();
        return false;
      }
    });
  }

  /** Runs a function inside of the extension host: it gets the module vscode and the arguments, and returns JSON. */
  async host(work, ...args) {
    const connection = net.connect(this.socket);
    connection.end(JSON.stringify({ source: work.toString(), args }));
    let text = '';
    for await (const piece of connection) {
      text += piece;
    }
    const { result, error } = JSON.parse(text);
    if (error) {
      throw new Error(`in the extension host: ${error}`);
    }
    return result;
  }

  /** Opens a file in an editor, which has the focus then. */
  open(file) {
    return this.host(async (vscode, name) => {
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(name));
    }, file);
  }

  /** Gives the open document of a file another text, without saving it. */
  write(file, text) {
    return this.host(
      async (vscode, name, given) => {
        const edit = new vscode.WorkspaceEdit();
        const document = await vscode.workspace.openTextDocument(name);
        const end = document.lineAt(document.lineCount - 1).range.end;
        edit.replace(document.uri, new vscode.Range(new vscode.Position(0, 0), end), given);
        await vscode.workspace.applyEdit(edit);
      },
      file,
      text,
    );
  }

  /** Clicks a lens until something comes of it: a click is nobody's where the lenses are drawn anew in that moment. */
  async lens(title, came) {
    const button = this.page.locator('.codelens-decoration').getByText(title, { exact: true });
    await eventually(`what the lens ${title} does`, async () => {
      if (!(await came())) {
        await button.click({ timeout: 1000 });
      }
      return came();
    });
  }

  /** What the editor says is wrong with a file. */
  problems(file) {
    return this.host((vscode, name) => {
      const found = vscode.languages.getDiagnostics(vscode.Uri.file(name));
      return found.map(({ message, source, range }) => {
        return { message, source, start: [range.start.line, range.start.character] };
      });
    }, file);
  }

  /** Runs a command by its id and returns what it returns. */
  command(id, ...args) {
    return this.host((vscode, name, rest) => vscode.commands.executeCommand(name, ...rest), id, args);
  }

  /** Picks a command in the command palette. */
  async palette(title) {
    // An editor that has just been opened or closed may take the focus once more, which closes the palette.
    await eventually('the command palette', async () => {
      await this.page.keyboard.press('F1');
      await this.type(`>${title}`, { timeout: 5000 });
      return true;
    });
    await this.choose(title);
  }

  /** Waits until the quick input asks for something: by its title, or by the words in its empty text. */
  async asksFor(words) {
    const box = this.page.locator('.quick-input-widget');
    await box.getByText(words).or(box.getByPlaceholder(words)).first().waitFor();
  }

  /** What is in the clipboard. */
  clipboard() {
    return this.host((vscode) => vscode.env.clipboard.readText());
  }

  /** Fills the text of the open quick input. */
  async type(text, options) {
    await this.page.locator('.quick-input-widget input[type="text"]').fill(text, options);
  }

  /** Picks an entry of the open quick input. */
  async choose(text) {
    const rows = this.page.locator('.quick-input-widget .quick-input-list .monaco-list-row', { hasText: text });
    await eventually(`the entry ${text}`, async () => {
      // Where the mouse rests on an entry, what is said of that one may lie above the others.
      await this.page.mouse.move(0, 0);
      await rows.first().click({ timeout: 5000 });
      return true;
    });
  }

  /** The notification that has a text, if it is to be seen. */
  notification(text) {
    return this.page.locator('.notification-list-item:visible', { hasText: text }).first();
  }

  /** Waits for a notification that has a text, and returns it. One that has gone to the list by itself is looked up. */
  async told(text) {
    const found = this.notification(text);
    await eventually(`the notification ${text}`, async () => {
      try {
        await found.waitFor({ timeout: 5000 });
        return true;
      } catch {
        await this.command('notifications.showList');
        return false;
      }
    });
    return found;
  }

  /** Clicks a button of a notification. */
  async answer(text, button) {
    await (await this.told(text)).getByRole('button', { name: button, exact: true }).click();
  }

  /** The open modal dialog. */
  get dialog() {
    return this.page.locator('.monaco-dialog-box');
  }

  /** Clicks a button of the modal dialog. */
  async decide(button) {
    await this.dialog.getByRole('button', { name: button, exact: true }).click();
    await this.dialog.waitFor({ state: 'detached' });
  }

  /** Renames a directory at the top of the explorer's tree, as a person does. */
  async rename(from, to) {
    await this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: from }).first().click();
    await this.page.keyboard.press('F2');
    const box = this.page.locator('.explorer-folders-view .monaco-inputbox input');
    await box.fill(to);
    await box.press('Enter');
  }

  /** The rows of the view of all reservations; it is opened if it was not. */
  async reservations() {
    await this.command('trop.reservations.focus');
    return this.page.locator('[id="workbench.view.extension.trop"] .monaco-list-row');
  }

  /** Writes the machine's settings anew. */
  configure(settings) {
    writeJson(this.machineSettings, settings);
  }

  /** Ends all processes of the window. */
  async stop() {
    const ended = new Promise((resolve) => {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        resolve();
      }
      this.process.on('exit', resolve);
    });
    this.signal('SIGTERM');
    const impatience = setTimeout(() => this.signal('SIGKILL'), 5000);
    await ended;
    clearTimeout(impatience);
    this.signal('SIGKILL'); // What is left of the group.
    fs.rmSync(this.sockets, { recursive: true, force: true });
  }

  signal(name) {
    try {
      process.kill(-this.process.pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') {
        throw error;
      }
    }
  }

  listeningPort() {
    const log = fs.createWriteStream(path.join(this.directory, 'vscode.log'));
    return new Promise((resolve, reject) => {
      let said = '';
      const listen = (piece) => {
        log.write(piece);
        said += piece;
        const found = /Extension host agent listening on (\d+)/.exec(said);
        if (found) {
          resolve(Number(found[1]));
        }
      };
      this.process.stdout.on('data', listen);
      this.process.stderr.on('data', listen);
      this.process.on('exit', (code) => reject(new Error(`VS Code ended with ${code}: ${said}`)));
    });
  }
}

function writeJson(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(content));
}
