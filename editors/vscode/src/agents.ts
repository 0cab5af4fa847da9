// The MCP server, offered to the editor's own agents. VS Code asks a person before it starts it.

import * as vscode from 'vscode';
import { folders } from './folders';
import type { Server } from './server';
import { mcpArguments } from './settings';

/** The id in `contributes.mcpServerDefinitionProviders`. */
const PROVIDER = 'trop';

/** What VS Code takes as the definition of a server that it starts. */
export interface McpServerDefinition {
  cwd?: vscode.Uri;
}

export interface McpServerProvider {
  onDidChangeMcpServerDefinitions: vscode.Event<unknown>;
  provideMcpServerDefinitions: () => Promise<McpServerDefinition[]>;
}

/** The part of the API that came with VS Code 1.101; `@types/vscode` are those of the oldest version we run in. */
interface McpApi {
  lm?: { registerMcpServerDefinitionProvider?: (id: string, provider: McpServerProvider) => vscode.Disposable };
  McpStdioServerDefinition?: new (
    label: string,
    command: string,
    args: string[],
    env: Record<string, string>,
    version: string | undefined,
  ) => McpServerDefinition;
}

/**
 * Offers the MCP server of the program whose language server runs in this window, for as long as one does and the
 * window is trusted. Does nothing in a VS Code that knows no MCP.
 */
export function offerMcpServer(server: Pick<Server, 'program' | 'onDidChangeState'>): vscode.Disposable {
  const { lm, McpStdioServerDefinition: Definition } = vscode as McpApi;
  if (!lm?.registerMcpServerDefinitionProvider || !Definition) {
    return new vscode.Disposable(() => undefined);
  }
  const changed = new vscode.EventEmitter<unknown>();
  const provider: McpServerProvider = {
    onDidChangeMcpServerDefinitions: changed.event,
    provideMcpServerDefinitions: async () => {
      const program = await server.program();
      if (!program || !vscode.workspace.isTrusted) {
        return [];
      }
      const definition = new Definition('Trop', program.file, mcpArguments(), {}, program.version);
      const [first] = folders();
      if (first) {
        definition.cwd = first.uri; // What a call without a folder is about, where the agent tells no roots.
      }
      return [definition];
    },
  };
  return vscode.Disposable.from(
    changed,
    // Settings, trust and folders that matter start the server anew, or are asked for with it.
    server.onDidChangeState((state) => {
      changed.fire(state);
    }),
    vscode.workspace.onDidChangeWorkspaceFolders((folders) => {
      changed.fire(folders);
    }),
    lm.registerMcpServerDefinitionProvider(PROVIDER, provider),
  );
}
