import * as vscode from 'vscode';
import type { ListProjectsResult, ListResult } from './protocol';
import { copyPort } from './reserving';
import type { Server } from './server';

/** Lists the projects, and of the one that is picked the reservations; picking one of these copies its port. */
export async function showProjects(server: Server): Promise<string | undefined> {
  const { projects } = await server.run<ListProjectsResult>('trop.listProjects');
  if (projects.length === 0) {
    void vscode.window.showInformationMessage('Trop: no reservation belongs to a project yet.');
    return undefined;
  }
  const project = await vscode.window.showQuickPick(projects, { placeHolder: 'The project whose ports are shown' });
  if (project === undefined) {
    return undefined;
  }
  const { reservations } = await server.run<ListResult>('trop.list', { project });
  const items = reservations.map((reservation) => ({
    label: `${reservation.port}`,
    description: [reservation.tag, reservation.path].filter((word) => word !== null).join(' · '),
    reservation,
  }));
  const options = { placeHolder: `The ports of ${project}: pick one to copy it`, matchOnDescription: true };
  const picked = await vscode.window.showQuickPick(items, options);
  if (picked) {
    await copyPort(server, picked);
  }
  return project;
}
