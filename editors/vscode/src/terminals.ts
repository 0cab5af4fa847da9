import * as vscode from 'vscode';
import { coalesce } from './coalesce';
import { folders } from './folders';
import { type AutoreserveResult, TropError } from './protocol';
import { portsOf } from './queries';
import type { Server } from './server';
import { type TerminalEnvironment, terminalEnvironment } from './settings';

type Variables = Readonly<Record<string, string>>;

/**
 * Whether VS Code tells which folder a new terminal is opened in. On a remote machine it takes the one that was edited
 * last for that: with several of them, a terminal would get the ports of another folder.
 */
function isFolderKnown(): boolean {
  return vscode.env.remoteName === undefined || folders().length === 1;
}

/**
 * The variables that new terminals of a trusted window have, by the folder in which they are opened: what is reserved
 * for it. Nothing is reserved for that, and a window that is not trusted has none.
 */
export class Terminals implements vscode.Disposable {
  private readonly given = new Map<string, string>();
  /** Brings the variables up to date. */
  readonly refresh: () => Promise<void>;

  constructor(
    private readonly server: Server,
    private readonly collection: vscode.GlobalEnvironmentVariableCollection,
  ) {
    // What was right when the window was closed need not be when it is opened again.
    collection.persistent = false;
    this.refresh = coalesce(() => this.update());
  }

  dispose(): void {
    for (const folder of folders()) {
      this.collection.getScoped({ workspaceFolder: folder }).clear();
    }
  }

  private async update(): Promise<void> {
    const wanted = terminalEnvironment();
    for (const folder of folders()) {
      this.give(folder, await this.variables(folder, wanted));
    }
  }

  private give(folder: vscode.WorkspaceFolder, variables: Variables): void {
    const [key, text] = [folder.uri.toString(), JSON.stringify(variables)];
    if ((this.given.get(key) ?? '{}') === text) {
      return; // VS Code marks open terminals as outdated with each change.
    }
    this.given.set(key, text);
    const scoped = this.collection.getScoped({ workspaceFolder: folder });
    scoped.clear();
    scoped.description = 'The ports that are reserved for this folder.';
    for (const [name, value] of Object.entries(variables)) {
      scoped.replace(name, value);
    }
  }

  private async variables(folder: vscode.WorkspaceFolder, wanted: TerminalEnvironment): Promise<Variables> {
    if (wanted === 'off' || !isFolderKnown() || !vscode.workspace.isTrusted || this.server.state !== 'running') {
      return {};
    }
    try {
      const { port } = await portsOf(this.server, folder.uri);
      const group = wanted === 'group' ? await this.group(folder) : {};
      return { ...(port === undefined ? {} : { PORT: `${port}` }), ...group };
    } catch (error) {
      if (error instanceof TropError) {
        return {}; // What is wrong is said where somebody asks for a port, and by the status bar.
      }
      throw error;
    }
  }

  /** The variables of a folder's services, if all of them have their ports. */
  private async group(folder: vscode.WorkspaceFolder): Promise<Variables> {
    try {
      const argument = { folder: folder.uri.toString(), dryRun: true };
      const { environment, outcome } = await this.server.run<AutoreserveResult>('trop.autoreserve', argument);
      const isStored = outcome === 'reused' || outcome === 'updated';
      return isStored ? Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, `${value}`])) : {};
    } catch (error) {
      if (error instanceof TropError) {
        return {}; // There are no services, or their file is wrong.
      }
      throw error;
    }
  }
}
