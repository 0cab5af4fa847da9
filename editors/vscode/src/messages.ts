import * as path from 'node:path';
import * as vscode from 'vscode';
import {
  type MessageActionItem,
  MessageType,
  type ShowMessageParams,
  type ShowMessageRequestParams,
} from 'vscode-languageclient/node';
import { plainMessage } from './plain';
import { type Announcement, configPlace, type ConfigPlace, toTropError, undoConflicts } from './protocol';
import type { Finding } from './serverSearch';
import { briefly, failure, information, refuse, warning } from './show';
import { doneWords, undoRefusal } from './text';

const INSTALL_COMMAND =
  'python3 -m venv --upgrade-deps .venv && .venv/bin/pip install --quiet . && mkdir -p ~/.local/bin && ' +
  'ln -sf "$PWD"/.venv/bin/trop "$PWD"/.venv/bin/trop-server ~/.local/bin/';

const COPY = 'Copy Install Command';
const SETTINGS = 'Open Settings';
const LOG = 'Show Log';
const RESTART = 'Restart Server';
const TRUST = 'Manage Workspace Trust';

/** Tells what a command was refused with, and offers what helps. Does not wait for an answer. */
export function showError(error: unknown): void {
  const problem = toTropError(error);
  const { hint, kind } = problem;
  const message = plainMessage(problem.message);
  const place = configPlace(problem);
  if (place) {
    const open = `Open ${path.basename(place.file)}`;
    void showPlace(failure(message, open, LOG), open, place);
    return;
  }
  const conflicts = undoConflicts(problem);
  if (conflicts) {
    const refusal = undoRefusal(conflicts, hint);
    void refuse(refusal.message, refusal.detail);
    return;
  }
  switch (kind) {
    case 'cancelled':
      break;
    case 'restricted_mode':
      void offer(warning(message, TRUST), { [TRUST]: 'workbench.trust.manage' });
      break;
    case 'not_running':
    case 'no_answer':
      void offer(failure(message, RESTART, LOG), {
        [RESTART]: 'trop.restartServer',
        [LOG]: 'trop.showLog',
      });
      break;
    default:
      void offer(failure([message, hint].filter(Boolean).join(' — '), LOG), {
        [LOG]: 'trop.showLog',
      });
  }
}

/** Tells that the server failed, and offers to start it again. Does not wait for an answer. */
export function showFailure(reason: string): void {
  void offer(failure(plainMessage(reason), RESTART, LOG), {
    [RESTART]: 'trop.restartServer',
    [LOG]: 'trop.showLog',
  });
}

/** Tells that the program was not found and how to get it. Does not wait for an answer. */
export function showInstallation(finding: Finding): void {
  if (finding.program === undefined && finding.wrongSetting !== undefined) {
    const message = `Trop: the setting trop.server.path names no program that can be started: ${finding.wrongSetting}`;
    void answer(warning(message, SETTINGS));
    return;
  }
  const message =
    "Trop's server, the program trop-server, was found neither in the workspace's Python environment nor on the PATH. " +
    `To install it, run this in a checkout of trop: ${INSTALL_COMMAND}`;
  void answer(warning(message, COPY, SETTINGS));
}

/** Shows what is worth knowing beside a result that was fine. */
export function showWarnings(warnings: readonly string[]): void {
  if (warnings.length > 0) {
    void warning(`Trop: ${warnings.map((each) => `${each}.`).join(' ')}`);
  }
}

const told = new Set<string>();

/** The same of what runs again and again, such as a task: each once in this window. */
export function showWarningsOnce(warnings: readonly string[]): void {
  const unknown = warnings.filter((each) => !told.has(each));
  unknown.forEach((each) => told.add(each));
  showWarnings(unknown);
}

/** Shows what the server has to say by itself. Does not wait for an answer. */
export function showSaid({ type, message }: ShowMessageParams): void {
  void notification(type)(plainMessage(message));
}

/** How long each announcement stands in the status bar, in milliseconds. */
const MENTIONED = 8000;

let mentions: Promise<void> = Promise.resolve();

/** Mentions what has happened by itself, for a while, in the status bar: one thing after the other. */
export function mention({ message }: Announcement): void {
  mentions = mentions.then(() => {
    briefly(plainMessage(message), MENTIONED);
    return new Promise((resolve) => setTimeout(resolve, MENTIONED));
  });
}

/** Says what a command of the server's has done, for a while, in the status bar. */
export function sayDone(command: string, result: unknown): void {
  const words = doneWords(command, result);
  if (words !== undefined) {
    briefly(words);
  }
}

/** Asks what the server asks; returns the action that was picked. */
export async function askFor(question: ShowMessageRequestParams): Promise<MessageActionItem | null> {
  const { type, message, actions = [] } = question;
  const picked = await notification(type)(plainMessage(message), ...actions.map(({ title }) => title));
  return actions.find(({ title }) => title === picked) ?? null;
}

async function showPlace(asked: Thenable<string | undefined>, open: string, place: ConfigPlace): Promise<void> {
  const picked = await asked;
  if (picked === LOG) {
    await vscode.commands.executeCommand('trop.showLog');
  } else if (picked === open) {
    const at = new vscode.Position(Math.max((place.line ?? 1) - 1, 0), Math.max((place.column ?? 1) - 1, 0));
    try {
      await vscode.window.showTextDocument(vscode.Uri.file(place.file), { selection: new vscode.Range(at, at) });
    } catch (error) {
      showError(error); // It may be gone by now.
    }
  }
}

function notification(type: MessageType): typeof information {
  switch (type) {
    case MessageType.Error:
      return failure;
    case MessageType.Warning:
      return warning;
    default:
      return information;
  }
}

async function answer(asked: Thenable<string | undefined>): Promise<void> {
  const picked = await asked;
  if (picked === COPY) {
    await vscode.env.clipboard.writeText(INSTALL_COMMAND);
    briefly('Copied. Run it in a checkout of trop.');
  } else if (picked === SETTINGS) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'trop.server');
  }
}

async function offer(asked: Thenable<string | undefined>, commands: Record<string, string>): Promise<void> {
  const picked = await asked;
  const command = picked === undefined ? undefined : commands[picked];
  if (command !== undefined) {
    await vscode.commands.executeCommand(command);
  }
}
