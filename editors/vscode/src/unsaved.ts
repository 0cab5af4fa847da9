// What is reserved is what is seen: commands read a project's files as they are saved.

import * as path from 'node:path';
import * as vscode from 'vscode';
import { TropError } from './protocol';

const NAMES = ['trop.yaml', 'trop.local.yaml'];

/** Saves what is open and changed of the project's files that count in a directory: its own, and those above. */
export async function saveProjectFiles(directory: string): Promise<void> {
  for (const document of vscode.workspace.textDocuments) {
    const { uri } = document;
    const { dir, base } = path.parse(uri.fsPath);
    const counts = uri.scheme === 'file' && NAMES.includes(base) && `${directory}/`.startsWith(withSlash(dir));
    // Where it is being saved already, VS Code says that it was not.
    if (document.isDirty && counts && !(await document.save()) && isStillDirty(document)) {
      throw new TropError(`${uri.fsPath} could not be saved, so nothing was reserved.`, 'not_saved');
    }
  }
}

function isStillDirty(document: vscode.TextDocument): boolean {
  return document.isDirty;
}

function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}
