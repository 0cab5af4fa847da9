import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Disposable } from 'vscode';
import { type McpServerProvider, offerMcpServer } from '../src/agents';
import type { Program, ServerState } from '../src/server';
import * as vscode from './support/vscode';

const PROGRAM = { file: '/bin/trop-server', version: '1.2' };

let registered: Map<string, McpServerProvider>;
let states: vscode.EventEmitter<ServerState>;
let program: Program | undefined;

beforeEach(() => {
  registered = new Map();
  states = new vscode.EventEmitter();
  program = PROGRAM;
  vscode.settings.clear();
  vscode.workspace.isTrusted = true;
  vscode.workspace.workspaceFolders = [{ uri: vscode.Uri.file('/work/shop'), name: 'shop' }];
  vscode.lm.registerMcpServerDefinitionProvider = (id: string, provider: McpServerProvider) => {
    registered.set(id, provider);
    return new vscode.Disposable(() => registered.delete(id));
  };
});

function offer(): Disposable {
  return offerMcpServer({ onDidChangeState: states.event, program: () => Promise.resolve(program) });
}

function definition(...args: string[]): vscode.McpStdioServerDefinition {
  const made = new vscode.McpStdioServerDefinition('Trop', PROGRAM.file, args, {}, PROGRAM.version);
  made.cwd = vscode.Uri.file('/work/shop');
  return made;
}

function provider(): McpServerProvider {
  const found = registered.get('trop');
  assert.ok(found);
  return found;
}

test('a VS Code that knows no MCP is left alone', () => {
  delete vscode.lm.registerMcpServerDefinitionProvider;

  offer().dispose();

  assert.equal(registered.size, 0);
});

test('the program that was found is offered for the open folder', async () => {
  offer();

  assert.deepEqual(await provider().provideMcpServerDefinitions(), [definition('--mcp')]);
});

for (const [dataDir, place] of [
  ['/a b/store', '/a b/store'],
  ['store', 'store'],
  ['file:///a%20b/store', '/a b/store'],
]) {
  test(`the store is that of the language server: ${String(dataDir)}`, async () => {
    vscode.settings.set('trop.dataDir', dataDir).set('trop.server.args', ['--stdio']);
    offer();

    const expected = definition('--stdio', '--mcp', `--data-dir=${String(place)}`);
    assert.deepEqual(await provider().provideMcpServerDefinitions(), [expected]);
  });
}

test('nothing is offered where no server runs, or the window is not trusted', async () => {
  offer();

  program = undefined;
  assert.deepEqual(await provider().provideMcpServerDefinitions(), []);
  program = PROGRAM;
  vscode.workspace.isTrusted = false;
  assert.deepEqual(await provider().provideMcpServerDefinitions(), []);
});

test('VS Code hears when the server or the folders are other ones, until the end', () => {
  const offered = offer();
  let heard = 0;
  provider().onDidChangeMcpServerDefinitions(() => (heard += 1));

  states.fire('running');
  vscode.changedFolders.fire(undefined);
  assert.equal(heard, 2);
  offered.dispose();
  states.fire('stopped');

  assert.equal(heard, 2);
  assert.equal(registered.size, 0);
});
