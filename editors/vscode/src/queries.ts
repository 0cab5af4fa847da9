import * as vscode from 'vscode';
import { type EnvResult, type ListResult, type Reservation, type ShowPathResult, TropError } from './protocol';
import type { Server } from './server';
import { inOrder } from './text';

/** What is reserved for a folder: the one first that a person means who names none. */
export interface FolderPorts {
  reservations: Reservation[];
  /** What programs of the folder are started with as PORT; undefined where that is not reserved, or is not known. */
  port: number | undefined;
}

/** The same without the variable. */
export async function reservationsOf(server: Server, folder: vscode.Uri): Promise<Reservation[]> {
  return (await portsOf(server, folder)).reservations;
}

/** The reservations of a folder itself, not of what is below it, with whether something listens on them. */
export async function portsOf(server: Server, folder: vscode.Uri): Promise<FolderPorts> {
  const [{ path }, { reservations }] = await Promise.all([
    server.read<ShowPathResult>('trop.showPath', { folder: folder.toString() }),
    // The order is that of the paths, so the folder's own come first, on the first page.
    server.read<ListResult>('trop.list', { folder: folder.toString(), includeOccupancy: true }),
  ]);
  const own = reservations.filter((reservation) => reservation.path === path);
  const [only] = own;
  if (only === undefined || (own.length === 1 && only.tag === null)) {
    return { reservations: own, port: only?.port };
  }
  const planned = await startedWith(server, folder);
  const ordered = inOrder(own, planned);
  const isStored = planned !== undefined && own.some(({ port }) => port === planned.port);
  return { reservations: ordered, port: isStored ? (planned.port ?? undefined) : undefined };
}

/** What programs of a folder are started with, as the server knows it; undefined where it cannot be asked. */
async function startedWith(server: Server, folder: vscode.Uri): Promise<EnvResult | undefined> {
  if (!vscode.workspace.isTrusted) {
    return undefined;
  }
  try {
    return await server.read<EnvResult>('trop.env', { folder: folder.toString(), dryRun: true });
  } catch (error) {
    if (error instanceof TropError && error.kind !== 'no_answer') {
      return undefined; // The folder's file is wrong, or nothing more can be reserved: what is stored is known.
    }
    throw error;
  }
}

/** All reservations that there are, or those that are meant, page by page. */
export async function allReservations(
  server: Server,
  meant: { project?: string; includeOccupancy?: boolean } = {},
): Promise<Reservation[]> {
  const all: Reservation[] = [];
  let after: string | null = null;
  do {
    const page: ListResult = await server.read<ListResult>('trop.list', { ...meant, after });
    all.push(...page.reservations);
    after = page.next;
  } while (after !== null);
  return all;
}
