import * as vscode from 'vscode';
import { toTropError } from './protocol';
import type { Finding } from './serverSearch';

const INSTALL_COMMAND =
  'python3 -m venv .venv && .venv/bin/pip install --quiet . && mkdir -p ~/.local/bin && ' +
  'ln -sf "$PWD"/.venv/bin/trop "$PWD"/.venv/bin/trop-server ~/.local/bin/';

const COPY = 'Copy Install Command';
const SETTINGS = 'Open Settings';
const LOG = 'Show Log';
const RESTART = 'Restart Server';
const TRUST = 'Manage Workspace Trust';

/** Tells what a command was refused with, and offers what helps. Does not wait for an answer. */
export function showError(error: unknown): void {
  const { message, hint, kind } = toTropError(error);
  switch (kind) {
    case 'cancelled':
      break;
    case 'restricted_mode':
      void offer(vscode.window.showWarningMessage(message, TRUST), { [TRUST]: 'workbench.trust.manage' });
      break;
    case 'not_running':
      void offer(vscode.window.showErrorMessage(message, RESTART, LOG), {
        [RESTART]: 'trop.restartServer',
        [LOG]: 'trop.showLog',
      });
      break;
    default:
      void offer(vscode.window.showErrorMessage([message, hint].filter(Boolean).join(' — '), LOG), {
        [LOG]: 'trop.showLog',
      });
  }
}

/** Tells that the server failed, and offers to start it again. Does not wait for an answer. */
export function showFailure(reason: string): void {
  void offer(vscode.window.showErrorMessage(reason, RESTART, LOG), {
    [RESTART]: 'trop.restartServer',
    [LOG]: 'trop.showLog',
  });
}

/** Tells that the program was not found and how to get it. Does not wait for an answer. */
export function showInstallation(finding: Finding): void {
  if (finding.program === undefined && finding.wrongSetting !== undefined) {
    const message = `Trop: the setting trop.server.path names no program that can be started: ${finding.wrongSetting}`;
    void answer(vscode.window.showWarningMessage(message, SETTINGS));
    return;
  }
  const message =
    "Trop's server, the program trop-server, was found neither in the workspace's Python environment nor on the PATH. " +
    `To install it, run this in a checkout of trop: ${INSTALL_COMMAND}`;
  void answer(vscode.window.showWarningMessage(message, COPY, SETTINGS));
}

/** Shows what is worth knowing beside a result that was fine. */
export function showWarnings(warnings: readonly string[]): void {
  if (warnings.length > 0) {
    void vscode.window.showWarningMessage(`Trop: ${warnings.join(' ')}`);
  }
}

/** A few words in the status bar that go away by themselves. */
export function showBriefly(words: string): void {
  vscode.window.setStatusBarMessage(words, 4000);
}

async function answer(asked: Thenable<string | undefined>): Promise<void> {
  const picked = await asked;
  if (picked === COPY) {
    await vscode.env.clipboard.writeText(INSTALL_COMMAND);
    showBriefly('Copied. Run it in a checkout of trop.');
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
