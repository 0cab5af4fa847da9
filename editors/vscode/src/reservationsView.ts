import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { coalesce } from './coalesce';
import { groupBy } from './groups';
import { plain, plainMessage } from './plain';
import { type Reservation, toTropError } from './protocol';
import { allReservations } from './queries';
import type { Server } from './server';
import { counted, reservationDetails, useWords } from './text';

/** How long the view waits until it looks again at who listens, in milliseconds. */
const LOOKING_AGAIN = 5000;

interface ReservationNode {
  reservation: Reservation;
}

interface DirectoryNode {
  directory: string;
  rows: ReservationNode[];
}

interface ProjectNode {
  project: string | null;
  directories: DirectoryNode[];
}

type Node = ProjectNode | DirectoryNode | ReservationNode;

/**
 * The view of all reservations, grouped by project and directory. It asks the server only while somebody can see it,
 * and then also by itself: that something begins to listen changes nothing in the store.
 */
export class ReservationsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly tree: vscode.TreeView<Node>;
  private readonly listening: vscode.Disposable;
  private projects: ProjectNode[] = [];
  private rows: ReservationNode[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** Brings the view up to date, if it is visible. */
  readonly refresh: () => Promise<void>;

  constructor(private readonly server: Server) {
    this.refresh = coalesce(() => this.update());
    this.tree = vscode.window.createTreeView<Node>('trop.reservations', {
      treeDataProvider: this,
      showCollapseAll: true,
    });
    this.listening = this.tree.onDidChangeVisibility(() => void this.refresh());
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listening.dispose();
    this.tree.dispose();
    this.changed.dispose();
  }

  getChildren(node?: Node): Node[] {
    if (!node) {
      return this.projects;
    }
    if ('directories' in node) {
      return node.directories;
    }
    return 'rows' in node ? node.rows : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if ('directories' in node) {
      return projectItem(node);
    }
    return 'rows' in node ? directoryItem(node) : reservationItem(node.reservation);
  }

  private async update(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.tree.visible) {
      return;
    }
    let message = '';
    let reservations: Reservation[] = [];
    const isRunning = this.server.state === 'running';
    try {
      reservations = isRunning ? await allReservations(this.server, { includeOccupancy: true }) : [];
    } catch (error) {
      message = plainMessage(toTropError(error).message);
    }
    // What stands in place of the rows says so only where it was looked.
    const isNothingReserved = isRunning && message === '' && reservations.length === 0;
    void vscode.commands.executeCommand('setContext', 'trop.nothingReserved', isNothingReserved);
    this.show(reservations, message);
    this.timer = setTimeout(() => void this.refresh(), LOOKING_AGAIN);
  }

  private show(reservations: Reservation[], message: string): void {
    if (this.tree.message !== message) {
      this.tree.message = message;
    }
    // A tree that is drawn anew takes the open tooltip away, and has no rows for a moment: only what has changed is.
    if (isDeepStrictEqual(reservations.map(identity), this.rows.map(({ reservation }) => identity(reservation)))) {
      const changed: ReservationNode[] = [];
      for (const [place, reservation] of reservations.entries()) {
        const row = this.rows[place];
        if (row && !isDeepStrictEqual(row.reservation, reservation)) {
          row.reservation = reservation;
          changed.push(row);
        }
      }
      if (changed.length > 0) {
        this.changed.fire(changed);
      }
      return;
    }
    this.rows = reservations.map((reservation) => ({ reservation }));
    this.projects = grouped(this.rows);
    this.changed.fire(undefined);
  }
}

/** What decides which row of the tree is a reservation's, and how the rows above it look. */
function identity({ project, path, tag, port, missing }: Reservation): unknown[] {
  return [project, path, tag, port, missing];
}

function grouped(rows: ReservationNode[]): ProjectNode[] {
  return [...groupBy(rows, ({ reservation }) => reservation.project)]
    .map(([project, members]) => ({ project, directories: byDirectory(members) }))
    .sort(
      (one, other) =>
        Number(one.project === null) - Number(other.project === null) || compare(one.project, other.project),
    );
}

function byDirectory(rows: ReservationNode[]): DirectoryNode[] {
  return [...groupBy(rows, ({ reservation }) => reservation.path)].map(([directory, members]) => ({
    directory,
    rows: members,
  }));
}

function compare(one: string | null, other: string | null): number {
  return (one ?? '').localeCompare(other ?? '');
}

function projectItem({ project, directories }: ProjectNode): vscode.TreeItem {
  const item = new vscode.TreeItem(plain(project ?? 'No project'), vscode.TreeItemCollapsibleState.Expanded);
  item.id = project === null ? 'none' : `project ${project}`;
  const count = directories.reduce((sum, { rows }) => sum + rows.length, 0);
  item.description = `${count}`;
  const named = project === null ? 'No project' : `Project ${plain(project)}`;
  item.accessibilityInformation = { label: `${named}, ${counted(count, 'port')}` };
  item.iconPath = new vscode.ThemeIcon('repo');
  return item;
}

function directoryItem({ directory, rows }: DirectoryNode): vscode.TreeItem {
  const isMissing = rows.some(({ reservation }) => reservation.missing);
  const name = path.basename(directory) || directory;
  const item = new vscode.TreeItem(plain(name), vscode.TreeItemCollapsibleState.Expanded);
  // A directory whose ports have several projects is there once for each.
  item.id = `directory ${JSON.stringify([directory, rows[0]?.reservation.project])}`;
  item.description = plain(isMissing ? `missing · ${path.dirname(directory)}` : path.dirname(directory));
  item.tooltip = plain(isMissing ? `${directory} is missing` : directory);
  item.iconPath = isMissing
    ? new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'))
    : new vscode.ThemeIcon('folder');
  item.contextValue = isMissing ? 'missing' : 'directory';
  item.accessibilityInformation = { label: plain(`Directory ${directory}${isMissing ? ', missing' : ''}`) };
  return item;
}

function reservationItem(reservation: Reservation): vscode.TreeItem {
  const { port, path: directory, tag, task, occupied, missing } = reservation;
  const item = new vscode.TreeItem(`${port}`);
  item.id = `reservation ${JSON.stringify([directory, tag])}`;
  const use = occupied ? useWords(reservation) : null;
  const words = [tag, task === path.basename(directory) ? null : task, use];
  item.description = plain(words.filter((word) => word !== null).join(' · '));
  item.tooltip = new vscode.MarkdownString(reservationDetails(reservation), true);
  item.iconPath = useIcon(reservation);
  item.contextValue = missing ? 'missingReservation' : 'reservation';
  const named = [`Port ${port}`, tag, path.basename(directory), useWords(reservation)];
  item.accessibilityInformation = { label: plain(named.filter((word) => word !== null).join(', ')) };
  return item;
}

function useIcon({ occupied, holder }: Reservation): vscode.ThemeIcon {
  if (!occupied) {
    return new vscode.ThemeIcon('circle-outline');
  }
  switch (holder?.relation) {
    case 'own':
      return new vscode.ThemeIcon('circle-filled', new vscode.ThemeColor('charts.green'));
    case 'other':
      return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
    default:
      return new vscode.ThemeIcon('circle-filled');
  }
}
