import * as vscode from 'vscode';

/** What `initialize` tells the server. */
export interface InitializationOptions {
  dataDir?: string;
  notifications: true;
  announcements: true;
  migrateOnRename: boolean;
  savesFirst: true;
  reserveOnOpen: 'git' | 'always' | 'never';
  /** The URIs of folders that an earlier server of this window has seen open. */
  openedBefore: string[];
}

const RESTARTING = ['trop.server', 'trop.dataDir', 'trop.reserveOnOpen', 'trop.migrateOnRename'];

/** The setting `trop.server.path`. */
export function serverPath(): string {
  return read<string>('server.path', '').trim();
}

/** The setting `trop.server.args`; none where a setting must not reach a command line. */
export function serverArguments(): string[] {
  return vscode.workspace.isTrusted ? read<string[]>('server.args', []) : [];
}

/** The arguments with which the program is the MCP server of the same store. */
export function mcpArguments(): string[] {
  const dataDir = dataDirectory();
  // The language server takes a URI as well, the command line does not.
  const place = dataDir.startsWith('file:') ? vscode.Uri.parse(dataDir).fsPath : dataDir;
  return [...serverArguments(), '--mcp', ...(place ? [`--data-dir=${place}`] : [])];
}

/** The options for the server, but for `openedBefore`. In a window that is not trusted, nothing is reserved and nothing moves. */
export function initializationOptions(): Omit<InitializationOptions, 'openedBefore'> {
  const trusted = vscode.workspace.isTrusted;
  const dataDir = dataDirectory();
  return {
    ...(dataDir ? { dataDir } : {}),
    notifications: true,
    announcements: true,
    savesFirst: true,
    migrateOnRename: trusted && read<boolean>('migrateOnRename', true),
    reserveOnOpen: trusted ? read<InitializationOptions['reserveOnOpen']>('reserveOnOpen', 'git') : 'never',
  };
}

/** Which variables terminals have: those of the folder's services, its one port, or none. */
export type TerminalEnvironment = 'group' | 'port' | 'off';

/** The setting `trop.terminal.environment`. */
export function terminalEnvironment(): TerminalEnvironment {
  return read<TerminalEnvironment>('terminal.environment', 'group');
}

/** Whether a change of the settings takes a new server to be heard. */
export function needsRestart(change: vscode.ConfigurationChangeEvent): boolean {
  return RESTARTING.some((setting) => change.affectsConfiguration(setting));
}

function dataDirectory(): string {
  return read<string>('dataDir', '');
}

function read<T>(name: string, fallback: T): T {
  return vscode.workspace.getConfiguration('trop').get<T>(name, fallback);
}
