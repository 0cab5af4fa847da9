import type * as vscode from 'vscode';
import type { ListResult, Reservation, ShowPathResult } from './protocol';
import type { Server } from './server';

/** The reservations of a folder itself, not of what is below it, with whether something listens on them. */
export async function reservationsOf(server: Server, folder: vscode.Uri): Promise<Reservation[]> {
  const [{ path }, { reservations }] = await Promise.all([
    server.read<ShowPathResult>('trop.showPath', { folder: folder.toString() }),
    // The order is that of the paths, so the folder's own come first, on the first page.
    server.read<ListResult>('trop.list', { folder: folder.toString(), includeOccupancy: true }),
  ]);
  return reservations.filter((reservation) => reservation.path === path);
}

/** All reservations that there are, page by page. */
export async function allReservations(server: Server, includeOccupancy: boolean): Promise<Reservation[]> {
  const all: Reservation[] = [];
  let after: string | null = null;
  do {
    const page: ListResult = await server.read<ListResult>('trop.list', { includeOccupancy, after });
    all.push(...page.reservations);
    after = page.next;
  } while (after !== null);
  return all;
}
