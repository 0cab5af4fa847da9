// The file in which a folder names its services.

import * as fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { pickFolder } from './folders';
import { TropError } from './protocol';
import { confirm } from './show';

const NAME = 'trop.yaml';

const BEGINNING = `# Each service has a port of its own. Rest on a word to see what it means.
reservations:
  services:
    web: {}
    api: {}
`;

const RESTRICTED = 'This window is in Restricted Mode, in which Trop writes no file.';

/** Opens the folder's `trop.yaml`. Where there is none, it is created if a person says so. */
export async function openProjectFile(): Promise<void> {
  const folder = await pickFolder(`The folder whose ${NAME} is opened`);
  if (!folder) {
    return;
  }
  const file = vscode.Uri.joinPath(folder.uri, NAME);
  if ((await exists(file.fsPath)) || (await create(file.fsPath, folder.name))) {
    await vscode.window.showTextDocument(file);
  }
}

/** Whether there is anything of that name, be it a link that leads nowhere. */
async function exists(file: string): Promise<boolean> {
  try {
    await fs.lstat(file);
    return true;
  } catch {
    return false; // If it is something else that is wrong, creating it says so.
  }
}

async function create(file: string, folder: string): Promise<boolean> {
  if (!vscode.workspace.isTrusted) {
    throw new TropError(RESTRICTED, 'restricted_mode');
  }
  if (!(await confirm(`Create ${NAME} in ${folder}?`, `${file}\n\nIt begins with two services, web and api, for you to change.`, 'Create'))) {
    return false;
  }
  try {
    await fs.writeFile(file, BEGINNING, { flag: 'wx' });
  } catch (error) {
    // Somebody else has written it while the question stood there: then it is theirs that is opened.
    if (!(await exists(file))) {
      throw error;
    }
  }
  return true;
}
