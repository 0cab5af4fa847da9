// What is reserved is what is seen: commands read a project's files as they are saved.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { TropError } from './protocol';

const NAMES = ['trop.yaml', 'trop.local.yaml'];

/** For how long a save of VS Code's own is waited for, in milliseconds: what formats on save may take a while. */
const PATIENCE = 3000;

/**
 * Saves what is open and changed of the project's files that count in a directory: its own, and those above, by the name
 * that is given and by its one name.
 */
export async function saveProjectFiles(directory: string): Promise<void> {
  const names = [directory, await canonical(directory)].map(withSlash);
  for (const document of vscode.workspace.textDocuments) {
    const { uri } = document;
    const { dir, base } = path.parse(uri.fsPath);
    const isAbove = names.some((name) => name.startsWith(withSlash(dir)));
    const counts = uri.scheme === 'file' && NAMES.includes(base) && isAbove;
    if (document.isDirty && counts && !(await save(document))) {
      throw new TropError(`${uri.fsPath} could not be saved, so nothing was reserved.`, 'not_saved');
    }
  }
}

/**
 * Saves a document; false where that cannot be done. While VS Code saves it by itself, and what formats it is at work,
 * it says that it has not saved it for others; its own save counts then.
 */
async function save(document: vscode.TextDocument): Promise<boolean> {
  if (!(await document.save()) && isDirty(document)) {
    await savedMeanwhile(document);
  }
  return !isDirty(document) || document.save();
}

function isDirty(document: vscode.TextDocument): boolean {
  return document.isDirty;
}

/** Waits until a document has been saved, for a while. */
function savedMeanwhile(document: vscode.TextDocument): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      listener.dispose();
      resolve();
    };
    const timer = setTimeout(end, PATIENCE);
    const listener = vscode.workspace.onDidSaveTextDocument((saved) => {
      if (saved === document) {
        end();
      }
    });
  });
}

async function canonical(directory: string): Promise<string> {
  try {
    return await fs.realpath(directory);
  } catch {
    return directory; // What is wrong with it, the server says.
  }
}

function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}
