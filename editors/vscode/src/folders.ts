import * as vscode from 'vscode';
import { failure, pick } from './show';

/** The open folders that are directories of this machine. */
export function folders(): readonly vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === 'file');
}

/** The paths of the open folders. */
export function folderPaths(): string[] {
  return folders().map((folder) => folder.uri.fsPath);
}

/** The folder of the file that is being edited, or the only one; undefined where that leaves a choice. */
export function evidentFolder(): vscode.WorkspaceFolder | undefined {
  const document = vscode.window.activeTextEditor?.document.uri;
  const active = document && vscode.workspace.getWorkspaceFolder(document);
  const open = folders();
  return active && open.includes(active) ? active : open.length === 1 ? open[0] : undefined;
}

/** The folder of the file that is being edited, else the first one; undefined if no folder is open. */
export function activeFolder(): vscode.WorkspaceFolder | undefined {
  return evidentFolder() ?? folders()[0];
}

/** Lets a person pick one of several open folders; undefined if none was picked or none is open, which is told. */
export async function pickFolder(placeHolder: string): Promise<vscode.WorkspaceFolder | undefined> {
  const active = activeFolder();
  if (!active) {
    void failure('Trop: open a folder first. A port belongs to a folder.');
    return undefined;
  }
  if (folders().length === 1) {
    return active;
  }
  const rest = folders().filter((folder) => folder !== active);
  const items = [active, ...rest].map((folder) => ({ label: folder.name, description: folder.uri.fsPath, folder }));
  const picked = await pick(items, { placeHolder, matchOnDescription: true });
  return picked?.folder;
}
