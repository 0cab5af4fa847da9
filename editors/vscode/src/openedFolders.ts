import * as vscode from 'vscode';
import { folders } from './folders';
import { type InitializationOptions, initializationOptions } from './settings';

const KEY = 'openedFolders';

/** What was wished for each folder, by its URI, in a session of the editor. */
interface Seen {
  session: string;
  seen: Record<string, string>;
}

/**
 * The folders that a server of this window has seen open. When another one starts, they do not open once more: what a
 * person has released since stays so. Where the settings want something else than before, or another store, they do.
 */
export class OpenedFolders {
  /** What is kept in `memory` counts for this session of the editor, whose extension host may be another one by now. */
  constructor(private readonly memory: vscode.Memento) {}

  /** What a server that starts now is told. */
  options(): InitializationOptions {
    const options = initializationOptions();
    const wish = wishOf(options);
    const { session, seen } = this.memory.get<Seen>(KEY, { session: '', seen: {} });
    const before = session === vscode.env.sessionId ? uris().filter((uri) => seen[uri] === wish) : [];
    return { ...options, openedBefore: before };
  }

  /** Takes note of the folders that are open now, with a server that runs. */
  note(): void {
    const wish = wishOf(initializationOptions());
    const seen = Object.fromEntries(uris().map((uri) => [uri, wish]));
    void this.memory.update(KEY, { session: vscode.env.sessionId, seen } satisfies Seen);
  }
}

function uris(): string[] {
  return folders().map((folder) => folder.uri.toString());
}

function wishOf({ reserveOnOpen, dataDir }: Omit<InitializationOptions, 'openedBefore'>): string {
  return JSON.stringify([reserveOnOpen, dataDir]);
}
