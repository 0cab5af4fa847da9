// Stands in for the module vscode in the unit tests, as far as the modules under test take it. What a test finds is
// what VS Code was told; what VS Code does with it, the tests in a real window see.

export class Disposable {
  constructor(private readonly work: () => void) {}

  static from(...all: { dispose: () => void }[]): Disposable {
    return new Disposable(() => {
      for (const each of all) {
        each.dispose();
      }
    });
  }

  dispose(): void {
    this.work();
  }
}

export class EventEmitter<T> {
  private readonly listeners = new Set<(event: T) => void>();

  readonly event = (listener: (event: T) => void): Disposable => {
    this.listeners.add(listener);
    return new Disposable(() => this.listeners.delete(listener));
  };

  fire(event: T): void {
    for (const listener of [...this.listeners]) {
      listener(event);
    }
  }

  dispose(): void {
    this.listeners.clear();
  }
}

export class Uri {
  readonly scheme = 'file';

  private constructor(readonly fsPath: string) {}

  static file(path: string): Uri {
    return new Uri(path);
  }

  static parse(text: string): Uri {
    return new Uri(decodeURIComponent(new URL(text).pathname));
  }
}

export class McpStdioServerDefinition {
  cwd: Uri | undefined;

  constructor(
    readonly label: string,
    readonly command: string,
    readonly args: string[],
    readonly env: Record<string, string>,
    readonly version: string | undefined,
  ) {}
}

export class ThemeColor {
  constructor(readonly id: string) {}
}

export class ThemeIcon {
  constructor(
    readonly id: string,
    readonly color?: ThemeColor,
  ) {}
}

export class MarkdownString {
  constructor(readonly value: string) {}
}

export enum TreeItemCollapsibleState {
  None,
  Collapsed,
  Expanded,
}

export class TreeItem {
  description: string | undefined;

  constructor(
    readonly label: string,
    readonly collapsibleState = TreeItemCollapsibleState.None,
  ) {}
}

/** The one view; a test shows and hides it. */
class TreeView {
  visible = true;
  message = '';
  private readonly visibility = new EventEmitter<undefined>();
  readonly onDidChangeVisibility = this.visibility.event;

  show(visible: boolean): void {
    this.visible = visible;
    this.visibility.fire(undefined);
  }

  dispose(): void {
    this.visibility.dispose();
  }
}

export let treeView = new TreeView();

/** What a test sets. */
export const settings = new Map<string, unknown>();
export const changedFolders = new EventEmitter<undefined>();
export const lm: { registerMcpServerDefinitionProvider?: unknown } = {};
export const window = {
  createTreeView: () => (treeView = new TreeView()),
};
export const workspace = {
  isTrusted: true,
  workspaceFolders: [] as { uri: Uri; name: string }[],
  onDidChangeWorkspaceFolders: changedFolders.event,
  getConfiguration: (section: string) => ({
    get: (name: string, fallback: unknown) => settings.get(`${section}.${name}`) ?? fallback,
  }),
};

/** What the keys of the contexts were set to. */
export const contexts = new Map<string, unknown>();

export const commands = {
  executeCommand: (command: string, key: string, value: unknown): Promise<void> => {
    if (command === 'setContext') {
      contexts.set(key, value);
    }
    return Promise.resolve();
  },
};
