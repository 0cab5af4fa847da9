// The commands that get a port and do something with it.

import * as path from 'node:path';
import * as vscode from 'vscode';
import { evidentFolder, pickFolder } from './folders';
import { showWarnings, showWarningsOnce } from './messages';
import {
  type AutoreserveResult,
  type EnvResult,
  type Reservation,
  type ReserveResult,
  toTropError,
  type UrlResult,
} from './protocol';
import { reservationsOf } from './queries';
import type { Server } from './server';
import { ask, briefly, confirmAsItIs, information, pick } from './show';
import {
  capitalised,
  environmentLines,
  isTaken,
  localUrl,
  portWords,
  type Question,
  reserveQuestion,
  servicesWords,
  useWords,
} from './text';
import { saveProjectFiles } from './unsaved';

const COPY = 'Copy Port';
const OPEN = 'Open in Browser';
const RESERVE = 'Reserve Port';

/** What a command may be about: what was clicked on. Without it, a person picks. */
export interface Target {
  reservation?: Reservation;
  /** A directory that has reservations. */
  directory?: string;
  /** The URI of an open folder. */
  folder?: string;
}

/** The directory that was clicked on, itself or by one of its reservations. */
export function targetDirectory(target: Target | undefined): string | undefined {
  return target?.directory ?? target?.reservation?.path;
}

/** Reserves the folder's untagged port, and offers what one does with a port. */
export async function reserveHere(server: Server, target?: Target): Promise<Reservation | undefined> {
  const folder = target?.folder ?? (await pickFolder('The folder to reserve a port for'))?.uri.toString();
  return folder === undefined ? undefined : reserve(server, { folder });
}

/** Asks for a tag, and reserves the folder's port with it. */
export async function reserveTagged(server: Server): Promise<Reservation | undefined> {
  const folder = await pickFolder('The folder to reserve a port for');
  const tag =
    folder &&
    (await ask({
      title: `A tagged port for ${folder.name}`,
      prompt: 'Which of several ports of this folder it is',
      placeHolder: 'web',
    }));
  return folder && tag !== undefined ? reserve(server, { folder: folder.uri.toString(), tag }) : undefined;
}

/** Reserves a port for each service of the folder's `trop.yaml`. */
export async function reserveServices(server: Server): Promise<void> {
  const folder = await pickFolder('The folder whose services get their ports');
  if (folder) {
    const uri = folder.uri.toString();
    const done = await server.run<AutoreserveResult>('trop.autoreserve', { folder: uri });
    const ports = Object.values(done.group).map(({ port }) => port);
    showWarnings([...done.warnings, ...(await squatters(server, uri, ports))]);
    void information(`${folder.name}: ${servicesWords(done)}.`);
  }
}

/**
 * Copies the variables that a folder's programs are started with. Ports of an open folder are reserved, if they were
 * not; those of what was clicked on only after a question, since its file may be anybody's.
 */
export async function copyEnvironment(server: Server, target?: Target): Promise<void> {
  if (target?.reservation?.tag === null) {
    await copyVariables({ PORT: target.reservation.port });
    return;
  }
  const directory = targetDirectory(target);
  const folder = directory === undefined ? undefined : vscode.Uri.file(directory).toString();
  const argument = folder
    ? { folder, tag: target?.reservation?.tag, allowUnrelatedPath: true }
    : { folder: (await pickFolder('The folder whose variables are copied'))?.uri.toString() };
  if (argument.folder === undefined) {
    return;
  }
  if (directory !== undefined && folder) {
    let kept: EnvResult | undefined;
    const whatIsMissing = async (): Promise<Question | undefined> => {
      if (vscode.workspace.isTrusted) {
        await saveProjectFiles(server, { folder }); // What is asked about has to be what is done.
      }
      const planned = await server.run<EnvResult>('trop.env', { ...argument, dryRun: true });
      kept = planned.outcome === 'reused' ? planned : undefined;
      return kept ? undefined : reserveQuestion(planned);
    };
    if (!(await confirmAsItIs(whatIsMissing, 'Reserve and Copy'))) {
      return;
    }
    if (kept) {
      showWarningsOnce(kept.warnings);
      await copyVariables(kept.environment);
      return;
    }
  }
  const { environment, warnings } = await server.run<EnvResult>('trop.env', argument);
  showWarningsOnce(warnings);
  await copyVariables(environment);
}

async function copyVariables(environment: Readonly<Record<string, number | string>>): Promise<void> {
  await vscode.env.clipboard.writeText(environmentLines(environment));
  briefly(`Copied ${Object.keys(environment).join(', ')}.`);
}

/** Copies a port to the clipboard. */
export async function copyPort(server: Server, target?: Target): Promise<number | undefined> {
  const reservation = await pickReservation(server, target, 'The port to copy');
  if (reservation) {
    await copy(reservation);
  }
  return reservation?.port;
}

/** Copies the address that *Open in Browser* opens. */
export async function copyAddress(server: Server, target?: Target): Promise<void> {
  const reservation = await pickReservation(server, target, 'The port whose address to copy');
  if (reservation) {
    const address = localUrl(reservation.port);
    await vscode.env.clipboard.writeText(address);
    briefly(`Copied ${address}.`);
  }
}

/** Opens what a port serves in the browser, also where the window is remote. */
export async function openInBrowser(server: Server, target?: Target): Promise<void> {
  const reservation = await pickReservation(server, target, 'The port to open');
  if (reservation) {
    await open(reservation);
  }
}

/**
 * The port as a text, for `${command:trop.port}` in launch configurations and tasks: the folder's own, that of its
 * foremost service where it has services, or that of the `tag` that an input's `args` name. It is reserved if it was
 * not, where that is allowed.
 */
export async function portText(server: Server, given: unknown): Promise<string | undefined> {
  const port = (await addressOf(server, given, 'The folder whose port is needed'))?.port;
  return port === undefined ? undefined : `${port}`;
}

/** The address as a text, for `${command:trop.url}`: that of the port that `trop.port` gives. */
export async function urlText(server: Server, given: unknown): Promise<string | undefined> {
  return (await addressOf(server, given, 'The folder whose address is needed'))?.url;
}

async function addressOf(
  server: Server,
  given: unknown,
  placeHolder: string,
): Promise<{ port: number; url: string } | undefined> {
  const { tag, folder: named } = inputArguments(given);
  const folder = named ?? (evidentFolder() ?? (await pickFolder(placeHolder)))?.uri.toString();
  if (folder === undefined) {
    return undefined;
  }
  if (!vscode.workspace.isTrusted) {
    const stored = await reservationsOf(server, vscode.Uri.parse(folder));
    const found = tag === undefined ? stored[0] : stored.find((reservation) => reservation.tag === tag);
    if (found) {
      return { port: found.port, url: localUrl(found.port) };
    }
  }
  const { port, url, warnings } = await server.run<UrlResult>('trop.url', { folder, tag });
  showWarningsOnce([...warnings, ...(await squatters(server, folder, [port]))]);
  return { port, url };
}

/** What is to be known of a folder's ports that a program may use now: that another directory's program is on them. */
async function squatters(server: Server, folder: string, ports: number[]): Promise<string[]> {
  try {
    const rows = (await reservationsOf(server, vscode.Uri.parse(folder))).filter(({ port }) => ports.includes(port));
    return rows.filter(isTaken).map((row) => `on ${portWords(row)} ${useWords(row)}`);
  } catch (error) {
    return [`who is on the ports could not be seen: ${toTropError(error).message.replace(/\.$/, '')}`];
  }
}

/** A folder's reservation, picked if there are several; where there is none, a person is offered to reserve one. */
async function pickReservation(
  server: Server,
  target: Target | undefined,
  placeHolder: string,
): Promise<Reservation | undefined> {
  if (target?.reservation) {
    return target.reservation;
  }
  const folder = await pickFolder(placeHolder);
  if (!folder) {
    return undefined;
  }
  const reservations = await reservationsOf(server, folder.uri);
  if (reservations.length > 1) {
    const items = reservations.map((reservation) => ({
      label: `${reservation.port}`,
      description: reservation.tag ?? '',
      reservation,
    }));
    return (await pick(items, { placeHolder, matchOnDescription: true }))?.reservation;
  }
  if (reservations.length === 0) {
    void offerToReserve(folder);
  }
  return reservations[0];
}

async function offerToReserve(folder: vscode.WorkspaceFolder): Promise<void> {
  const message = `No port is reserved for ${folder.name}.`;
  if (!vscode.workspace.isTrusted) {
    void information(message);
    return;
  }
  const picked = await information(message, RESERVE);
  if (picked === RESERVE) {
    await vscode.commands.executeCommand('trop.reserveHere', { folder: folder.uri.toString() });
  }
}

async function reserve(server: Server, argument: { folder: string; tag?: string }): Promise<Reservation> {
  const { reservation, warnings } = await server.run<ReserveResult>('trop.reserve', argument);
  showWarnings([...warnings, ...(await squatters(server, argument.folder, [reservation.port]))]);
  void offerUses(reservation);
  return reservation;
}

async function offerUses(reservation: Reservation): Promise<void> {
  const message = `${capitalised(portWords(reservation))} is reserved for ${path.basename(reservation.path)}.`;
  const picked = await information(message, COPY, OPEN);
  if (picked === COPY) {
    await copy(reservation);
  } else if (picked === OPEN) {
    await open(reservation);
  }
}

async function copy({ port }: Reservation): Promise<void> {
  await vscode.env.clipboard.writeText(`${port}`);
  briefly(`Copied ${port}.`);
}

async function open({ port }: Reservation): Promise<void> {
  await vscode.env.openExternal(vscode.Uri.parse(localUrl(port)));
}

/** VS Code hands `${command:…}` the launch configuration around it, whose keys mean other things than an input's. */
function inputArguments(given: unknown): { tag: string | undefined; folder: string | undefined } {
  if (typeof given !== 'object' || given === null || 'type' in given) {
    return { tag: undefined, folder: undefined };
  }
  const text = (key: string): string | undefined => {
    const value = (given as Record<string, unknown>)[key];
    return typeof value === 'string' ? value : undefined;
  };
  return { tag: text('tag'), folder: text('folder') };
}
