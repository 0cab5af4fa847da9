import * as vscode from 'vscode';
import { coalesce } from './coalesce';
import { activeFolder, folders } from './folders';
import { escapeMarkdown, plain, plainMessage } from './plain';
import { type Reservation, toTropError } from './protocol';
import { reservationsOf } from './queries';
import type { Target } from './reserving';
import type { Server, ServerState } from './server';
import { isTaken, portTable, portWords, statusText, useWords } from './text';

interface Appearance {
  text: string;
  /** In Markdown. */
  tooltip: string;
  /** What a click runs, and with what. */
  command: string;
  argument?: Target;
  /** What is read out in place of the text. */
  label: string;
}

const STATES: Record<Exclude<ServerState, 'running'>, Appearance> = {
  starting: {
    text: '$(loading~spin) Trop',
    tooltip: "Trop's server is starting.",
    label: "Trop's server is starting",
    command: 'trop.showLog',
  },
  missing: {
    text: '$(warning) Trop',
    tooltip: 'The program trop-server was not found. Click to see how to get it.',
    label: 'Trop: the program trop-server was not found',
    command: 'trop.showInstallation',
  },
  failed: {
    text: '$(error) Trop',
    tooltip: "Trop's server is not running. Click to start it again.",
    label: "Trop's server is not running",
    command: 'trop.restartServer',
  },
  stopped: {
    text: '$(circle-slash) Trop',
    tooltip: "Trop's server was stopped.",
    label: "Trop's server was stopped",
    command: 'trop.restartServer',
  },
};

/** How long it waits until it looks again at who listens, in milliseconds. */
const LOOKING_AGAIN = 5000;

/**
 * The item in the status bar: the port of the folder that is being edited, or what keeps it from being known. It asks
 * the server by itself while the window has the focus: that something begins to listen changes nothing in the store.
 */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('port', vscode.StatusBarAlignment.Left, 10);
  private readonly clicked: vscode.Disposable;
  private shown: Appearance = STATES.stopped;
  private timer: NodeJS.Timeout | undefined;
  /** Brings the item up to date. */
  readonly refresh: () => Promise<void>;

  constructor(private readonly server: Server) {
    this.item.name = 'Trop: Port of This Folder';
    // With arguments in the item itself, VS Code loses a click that comes while the item changes.
    this.item.command = 'trop.statusBarClicked';
    this.clicked = vscode.commands.registerCommand('trop.statusBarClicked', () =>
      vscode.commands.executeCommand(this.shown.command, this.shown.argument),
    );
    this.refresh = coalesce(() => this.update());
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.clicked.dispose();
    this.item.dispose();
  }

  private async update(): Promise<void> {
    clearTimeout(this.timer);
    try {
      await this.look();
    } finally {
      if (vscode.window.state.focused && this.server.state === 'running') {
        this.timer = setTimeout(() => void this.refresh(), LOOKING_AGAIN);
      }
    }
  }

  private async look(): Promise<void> {
    const folder = activeFolder();
    if (folder) {
      this.show(await this.appearance(folder));
      this.item.show();
    } else {
      this.item.hide();
    }
  }

  private async appearance(folder: vscode.WorkspaceFolder): Promise<Appearance> {
    if (this.server.state !== 'running') {
      return STATES[this.server.state];
    }
    try {
      return portAppearance(folder, await reservationsOf(this.server, folder.uri));
    } catch (error) {
      const { kind, message, hint } = toTropError(error);
      const tooltip = [message, hint].map(plainMessage).map(escapeMarkdown).join('  \n');
      const label = plainMessage(`Trop: ${message}`);
      return kind === 'no_answer'
        ? { text: '$(error) Trop', tooltip, label, command: 'trop.restartServer' }
        : { text: '$(warning) Trop', tooltip, label, command: 'trop.showLog' };
    }
  }

  private show(appearance: Appearance): void {
    const { text, tooltip, label } = appearance;
    if (tooltip !== this.shown.tooltip || !this.item.tooltip) {
      this.item.tooltip = new vscode.MarkdownString(tooltip, true); // A new one closes the one that is being read.
    }
    this.item.text = text;
    this.item.accessibilityInformation = { label, role: 'button' };
    this.shown = appearance;
  }
}

function taken(reservation: Reservation): string {
  return `on ${portWords(reservation)} ${useWords(reservation)}`;
}

function portAppearance(folder: vscode.WorkspaceFolder, reservations: Reservation[]): Appearance {
  const [reservation] = reservations;
  const text = statusText(reservations, folders().length > 1 ? folder.name : undefined);
  const heading = `**${escapeMarkdown(folder.name)}**`;
  if (reservation) {
    return {
      text,
      tooltip: `${heading}\n\n${portTable(reservations)}\n\nClick to copy ${reservation.port}.`,
      command: 'trop.copyPort',
      argument: { reservation },
      label: plain([`${folder.name} has ${portWords(reservation)}`, ...reservations.filter(isTaken).map(taken)].join('; ')),
    };
  }
  if (vscode.workspace.isTrusted) {
    const tooltip = `${heading} has no port. Click to reserve one.`;
    const label = plain(`${folder.name} has no port`);
    return { text, tooltip, label, command: 'trop.reserveHere', argument: { folder: folder.uri.toString() } };
  }
  return {
    text: '$(shield) Trop',
    tooltip: `${heading} has no port, and in Restricted Mode none is reserved. Click to manage the workspace's trust.`,
    label: plain(`${folder.name} has no port, and in Restricted Mode none is reserved`),
    command: 'workbench.trust.manage',
  };
}
