import * as vscode from 'vscode';
import { offerMcpServer } from './agents';
import { initialize, migrateReservations, releasePorts } from './changing';
import { showError, showFailure, showInstallation } from './messages';
import { OpenedFolders } from './openedFolders';
import { showHistory, undoLast } from './past';
import { openProjectFile } from './projectFile';
import { showProjects } from './projects';
import { ReservationsView } from './reservationsView';
import {
  copyAddress,
  copyEnvironment,
  copyPort,
  openInBrowser,
  portText,
  reserveHere,
  reserveServices,
  reserveTagged,
  type Target,
} from './reserving';
import { refuseToChange, Server } from './server';
import type { Finding } from './serverSearch';
import { needsRestart } from './settings';
import { information } from './show';
import { StatusBar } from './statusBar';
import { Terminals } from './terminals';
import { watchTyping } from './typing';

let server: Server | undefined;

/** Starts the server and everything that shows what it says. Does not wait for the server. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Trop', { log: true });
  let missing: Finding | undefined;
  const started = new Server(
    log,
    new OpenedFolders(context.workspaceState),
    (finding) => {
      if (!missing) {
        showInstallation(finding);
      }
      missing = finding;
    },
    showFailure,
  );
  server = started;
  const statusBar = new StatusBar(started);
  const view = new ReservationsView(started);
  const terminals = new Terminals(started, context.environmentVariableCollection);
  const refresh = (): void => {
    void terminals.refresh();
    void statusBar.refresh();
    void view.refresh();
  };

  context.subscriptions.push(
    log,
    started,
    statusBar,
    view,
    terminals,
    offerMcpServer(started),
    watchTyping(),
    started.onDidChangeState(refresh),
    started.onDidChangeReservations(refresh),
    vscode.window.onDidChangeActiveTextEditor(() => void statusBar.refresh()),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) {
        // Whoever comes back may have installed the server, or started what listens on a port.
        void started.lookAgain();
        refresh();
      }
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      started.foldersChanged();
      void started.lookAgain();
      refresh();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void started.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (needsRestart(change)) {
        void started.restart();
      } else if (change.affectsConfiguration('trop.terminal')) {
        void terminals.refresh();
      }
    }),
    ...register({
      'trop.reserveHere': changing((target) => reserveHere(started, target as Target | undefined)),
      'trop.reserveTagged': changing(() => reserveTagged(started)),
      'trop.reserveServices': changing(() => reserveServices(started)),
      'trop.openProjectFile': openProjectFile,
      'trop.copyEnvironment': (target) => copyEnvironment(started, target as Target | undefined),
      'trop.releasePorts': changing((target) => releasePorts(started, target as Target | undefined)),
      'trop.copyPort': (target) => copyPort(started, target as Target | undefined),
      'trop.copyAddress': (target) => copyAddress(started, target as Target | undefined),
      'trop.openInBrowser': (target) => openInBrowser(started, target as Target | undefined),
      'trop.migrateReservations': changing(() => migrateReservations(started)),
      'trop.showProjects': () => showProjects(started),
      'trop.undoLast': changing((target) => undoLast(started, target as Target | undefined)),
      'trop.showHistory': () => showHistory(started),
      'trop.initialize': changing(() => initialize(started)),
      'trop.row.copyPort': onRow((target) => copyPort(started, target)),
      'trop.row.copyAddress': onRow((target) => copyAddress(started, target)),
      'trop.row.openInBrowser': onRow((target) => openInBrowser(started, target)),
      'trop.row.copyEnvironment': onRow((target) => copyEnvironment(started, target)),
      'trop.row.releasePorts': onRow((target) => releasePorts(started, target)),
      'trop.row.undoLast': onRow((target) => undoLast(started, target)),
      'trop.port': (given) => portText(started, given),
      'trop.refreshReservations': () => Promise.all([statusBar.refresh(), view.refresh()]),
      'trop.restartServer': () => started.restart(),
      'trop.showInstallation': () => {
        showInstallation(missing ?? { program: undefined, wrongSetting: undefined });
      },
      'trop.showLog': () => {
        log.show(true);
      },
    }),
  );
  void started.restart();
}

/** Stops the server. */
export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}

type Handler = (argument: unknown) => unknown;

/**
 * A command of a row of the view. VS Code gives no row where the tree is drawn anew just then, and a release must not
 * fall back to the open folder.
 */
function onRow(work: (target: Target) => unknown): Handler {
  return (target) =>
    target ? work(target as Target) : information('Trop: the list has changed meanwhile. Choose once more.');
}

/** A command that changes something: where that is refused, nothing is picked before. */
function changing(work: Handler): Handler {
  return (target) => {
    refuseToChange();
    return work(target);
  };
}

function register(handlers: Record<string, Handler>): vscode.Disposable[] {
  return Object.entries(handlers).map(([id, handler]) =>
    vscode.commands.registerCommand(id, async (argument: unknown) => {
      try {
        return await handler(argument);
      } catch (error) {
        showError(error);
        return undefined;
      }
    }),
  );
}
