// What is reserved is what is seen: commands read a project's files as they are saved.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { type ShowPathResult, TropError } from './protocol';
import type { Server } from './server';

const NAMES = ['trop.yaml', 'trop.local.yaml'];

/** For how long a save of VS Code's own is waited for, in milliseconds: what formats on save may take a while. */
const PATIENCE = 3000;

/** Saves what is open and changed of the project's files that count in a directory, which the server knows. */
export async function saveProjectFiles(server: Server, argument: object): Promise<void> {
  if (changed().length > 0) {
    const { configDirectories } = await server.run<ShowPathResult>('trop.showPath', argument);
    await saveNearest(configDirectories);
  }
}

/** Saves what is open and changed of the project's files in the first of some directories in which there is any. */
export async function saveNearest(directories: readonly string[]): Promise<void> {
  const open = await Promise.all(
    changed().map(async (document) => ({ document, place: await canonical(path.dirname(document.uri.fsPath)) })),
  );
  const places = await Promise.all(directories.map(canonical));
  const nearest = places.find((directory) => open.some(({ place }) => place === directory));
  for (const { document } of open.filter(({ place }) => place === nearest)) {
    if (!(await save(document))) {
      throw new TropError(`${document.uri.fsPath} could not be saved, so nothing was reserved.`, 'not_saved');
    }
  }
}

function changed(): vscode.TextDocument[] {
  const { textDocuments } = vscode.workspace;
  return textDocuments.filter(
    ({ isDirty, uri }) => isDirty && uri.scheme === 'file' && NAMES.includes(path.basename(uri.fsPath)),
  );
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
