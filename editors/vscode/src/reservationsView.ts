import * as vscode from 'vscode';
import { coalesce } from './coalesce';
import { groupBy } from './groups';
import { plain, plainMessage } from './plain';
import { type Reservation, toTropError } from './protocol';
import { allReservations } from './queries';
import type { Server } from './server';
import { reservationDetails, useWords } from './text';

interface ProjectNode {
  project: string | null;
  reservations: Reservation[];
}

interface ReservationNode {
  reservation: Reservation;
}

type Node = ProjectNode | ReservationNode;

/** The view of all reservations, grouped by project. It asks the server only while somebody can see it. */
export class ReservationsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly tree: vscode.TreeView<Node>;
  private readonly listening: vscode.Disposable;
  private projects: ProjectNode[] = [];
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
    this.listening.dispose();
    this.tree.dispose();
    this.changed.dispose();
  }

  getChildren(node?: Node): Node[] {
    if (!node) {
      return this.projects;
    }
    return 'reservations' in node ? node.reservations.map((reservation) => ({ reservation })) : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return 'reservations' in node ? projectItem(node) : reservationItem(node.reservation);
  }

  private async update(): Promise<void> {
    if (!this.tree.visible) {
      return;
    }
    let message = '';
    try {
      this.projects = this.server.state === 'running' ? grouped(await allReservations(this.server, true)) : [];
    } catch (error) {
      this.projects = [];
      message = plainMessage(toTropError(error).message);
    }
    this.tree.message = message;
    this.changed.fire(undefined);
  }
}

function grouped(reservations: Reservation[]): ProjectNode[] {
  return [...groupBy(reservations, (reservation) => reservation.project)]
    .map(([project, members]) => ({ project, reservations: members }))
    .sort(
      (one, other) =>
        Number(one.project === null) - Number(other.project === null) || compare(one.project, other.project),
    );
}

function compare(one: string | null, other: string | null): number {
  return (one ?? '').localeCompare(other ?? '');
}

function projectItem({ project, reservations }: ProjectNode): vscode.TreeItem {
  const item = new vscode.TreeItem(plain(project ?? 'No project'), vscode.TreeItemCollapsibleState.Expanded);
  item.id = project === null ? 'none' : `project ${project}`;
  item.description = `${reservations.length}`;
  item.iconPath = new vscode.ThemeIcon('repo');
  return item;
}

function reservationItem(reservation: Reservation): vscode.TreeItem {
  const { port, path, tag, task, occupied } = reservation;
  const item = new vscode.TreeItem(`${port}`);
  item.id = `reservation ${JSON.stringify([path, tag])}`;
  const name = path.split('/').pop() ?? '';
  item.description = plain(
    [tag, name || path, task === name ? null : task].filter((word) => word !== null).join(' · '),
  );
  item.tooltip = new vscode.MarkdownString(reservationDetails(reservation), true);
  item.iconPath = occupied
    ? new vscode.ThemeIcon('circle-filled', new vscode.ThemeColor('charts.green'))
    : new vscode.ThemeIcon('circle-outline');
  item.contextValue = 'reservation';
  item.accessibilityInformation = { label: `Port ${port}, ${item.description}, ${plain(useWords(reservation))}` };
  return item;
}
