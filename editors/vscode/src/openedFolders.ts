import { folders } from './folders';
import { type InitializationOptions, initializationOptions } from './settings';

/**
 * The folders that a server of this window has seen open. When another one starts, they do not open once more: what a
 * person has released since stays so. Where the settings want something else than before, or another store, they do.
 */
export class OpenedFolders {
  private seen = new Map<string, string>();

  /** What a server that starts now is told. */
  options(): InitializationOptions {
    const options = initializationOptions();
    const wish = wishOf(options);
    const before = uris().filter((uri) => this.seen.get(uri) === wish);
    return { ...options, openedBefore: before };
  }

  /** Takes note of the folders that are open now, with a server that runs. */
  note(): void {
    const wish = wishOf(initializationOptions());
    this.seen = new Map(uris().map((uri) => [uri, wish]));
  }
}

function uris(): string[] {
  return folders().map((folder) => folder.uri.toString());
}

function wishOf({ reserveOnOpen, dataDir }: Omit<InitializationOptions, 'openedBefore'>): string {
  return JSON.stringify([reserveOnOpen, dataDir]);
}
