// The one place where VS Code is asked to show something to a person: whatever comes through here is plain text.

import * as vscode from 'vscode';
import { plain, plainLines } from './plain';
import type { Question } from './text';
import { whenNobodyTypes } from './typing';

/** Shows a notification; returns the button that was clicked. */
export function information(message: string, ...buttons: string[]): Thenable<string | undefined> {
  return vscode.window.showInformationMessage(plain(message), ...buttons);
}

/** Shows a warning; returns the button that was clicked. */
export function warning(message: string, ...buttons: string[]): Thenable<string | undefined> {
  return vscode.window.showWarningMessage(plain(message), ...buttons);
}

/** Shows an error; returns the button that was clicked. */
export function failure(message: string, ...buttons: string[]): Thenable<string | undefined> {
  return vscode.window.showErrorMessage(plain(message), ...buttons);
}

/** Asks in a dialog, with lines below the question, when nobody types; whether the one button was clicked. */
export async function confirm(question: string, detail: string, button: string): Promise<boolean> {
  await whenNobodyTypes();
  const options = { modal: true, detail: plainLines(detail) };
  return (await vscode.window.showWarningMessage(plain(question), options, button)) === button;
}

/**
 * Asks what `find` says is to be asked by now; where that is another question by the time that it is answered, it is
 * asked anew: for what no plan holds. True as well where there is nothing to ask.
 */
export async function confirmAsItIs(find: () => Promise<Question | undefined>, button: string): Promise<boolean> {
  let answered: Question | undefined;
  for (;;) {
    const asked = await find();
    if (!asked || (asked.question === answered?.question && asked.detail === answered.detail)) {
      return true;
    }
    if (!(await confirm(asked.question, asked.detail, button))) {
      return false;
    }
    answered = asked;
  }
}

/** Shows an error in a dialog, with lines below it; returns when it is closed. */
export async function refuse(message: string, detail: string): Promise<void> {
  await vscode.window.showErrorMessage(plain(message), { modal: true, detail: plainLines(detail) });
}

/** A few words in the status bar that go away by themselves, after some milliseconds. */
export function briefly(words: string, milliseconds = 4000): void {
  vscode.window.setStatusBarMessage(plain(words), milliseconds);
}

/** Lets a person pick an item; returns it as it was given. */
export async function pick<Item extends { label: string; description?: string }>(
  items: readonly Item[],
  options: { title?: string; placeHolder: string; matchOnDescription?: boolean },
): Promise<Item | undefined> {
  const shown = items.map((item) => ({
    label: plain(item.label),
    ...(item.description === undefined ? {} : { description: plain(item.description) }),
    item,
  }));
  const title = options.title === undefined ? {} : { title: plain(options.title) };
  const picked = await vscode.window.showQuickPick(shown, {
    ...options,
    ...title,
    placeHolder: plain(options.placeHolder),
  });
  return picked?.item;
}

/** Lets a person pick an item, or type what begins like a path: that is an item of its own then. */
export function pickOrTypePath<Item extends { label: string; description?: string }>(
  items: readonly Item[],
  options: { title: string; placeHolder: string },
): Promise<Item | string | undefined> {
  const shown = items.map((item) => ({
    label: plain(item.label),
    ...(item.description === undefined ? {} : { description: plain(item.description) }),
    chosen: item as Item | string,
  }));
  const input = vscode.window.createQuickPick<(typeof shown)[number] & { alwaysShow?: boolean }>();
  input.title = plain(options.title);
  input.placeholder = plain(options.placeHolder);
  input.matchOnDescription = true;
  input.items = shown;
  // Before the item for what is typed has been the active one, the active one is that of an earlier text.
  let isOffered = false;
  input.onDidChangeActive(([active]) => {
    isOffered ||= active?.chosen === input.value;
  });
  input.onDidChangeValue((typed) => {
    isOffered = false;
    input.items = isPath(typed) ? [{ label: plain(typed), chosen: typed, alwaysShow: true }, ...shown] : shown;
  });
  return new Promise((resolve) => {
    input.onDidAccept(() => {
      // Whoever types fast is ahead of the item for what is typed.
      const active = input.activeItems[0]?.chosen;
      const chosen = isPath(input.value) && (!isOffered || typeof active === 'string') ? input.value : active;
      if (chosen !== undefined) {
        resolve(chosen);
        input.hide();
      }
    });
    input.onDidHide(() => {
      resolve(undefined);
      input.dispose();
    });
    input.show();
  });
}

function isPath(typed: string): boolean {
  return /^(\/|~|\.{1,2}\/)/.test(typed);
}

/** Lets a person type something. The value to start with is not text that is shown but text that is edited. */
export function ask(options: {
  title: string;
  prompt: string;
  placeHolder?: string;
  value?: string;
  ignoreFocusOut?: boolean;
}): Thenable<string | undefined> {
  const [title, prompt] = [plain(options.title), plain(options.prompt)];
  return vscode.window.showInputBox({ ...options, title, prompt });
}
