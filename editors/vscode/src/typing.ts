// Whether somebody types in an editor: a question that comes in the middle of that takes the next key for its answer.

import * as vscode from 'vscode';

/** For how long nobody has to have typed, in milliseconds. */
const PAUSE = 1000;

/** For how long that is waited for, in milliseconds: what changes on and on may be a file that a program writes. */
const PATIENCE = 60_000;

/** For how long what has been typed may be on its way to here, in milliseconds, where this process was held up. */
const DELAY = 50;

let last = 0;

/** Takes note of when somebody types. */
export function watchTyping(): vscode.Disposable {
  return vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    // A selection that typing moves is not said to be moved by the keyboard.
    if (contentChanges.length > 0 && document === vscode.window.activeTextEditor?.document) {
      last = Date.now();
    }
  });
}

/** Waits until nobody types. */
export async function whenNobodyTypes(): Promise<void> {
  const end = Date.now() + PATIENCE;
  do {
    await wait(Math.max(remaining(), DELAY));
  } while (remaining() > 0 && Date.now() < end);
}

function remaining(): number {
  return last + PAUSE - Date.now();
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
