// The commands that take something away or move it: each shows first what it would do, and asks.

import * as vscode from 'vscode';
import { folderPaths, pickFolder } from './folders';
import { groupBy } from './groups';
import { sayDone, showWarnings } from './messages';
import { doAsAsked } from './planned';
import { type InitResult, type MigrateResult, type ReleaseResult, type Reservation, toTropError } from './protocol';
import { allReservations, reservationsOf } from './queries';
import type { Target } from './reserving';
import type { Server } from './server';
import { ask, confirm, information, pick, pickOrTypePath } from './show';
import { initQuestion, migrateQuestion, portWords, releaseQuestion } from './text';

const elsewhere = { label: 'Another Directory…', path: undefined };

/** Releases one or all of a folder's reservations, or what was clicked on: one, or all of a directory. */
export async function releasePorts(server: Server, target?: Target): Promise<void> {
  const argument = target ? pointedAt(target) : undefined;
  await release(server, argument ?? (await pickRelease(server)));
}

async function release(server: Server, argument: object | undefined): Promise<void> {
  if (!argument) {
    return;
  }
  const done = await doAsAsked<ReleaseResult>(server, 'trop.release', argument, agreeToRelease);
  if (done) {
    sayDone('trop.release', done);
  }
}

/** Whether a person agrees to a release, which names what goes; where nothing would, that is said. */
export function agreeToRelease(planned: ReleaseResult): Promise<boolean> {
  if (planned.releasedCount === 0) {
    void information('Trop: nothing is reserved there.');
    return Promise.resolve(false);
  }
  const { question, detail } = releaseQuestion(planned);
  return confirm(question, detail, 'Release');
}

/** Moves the reservations of a directory, and of what is below it, to another path. */
export async function migrateReservations(server: Server): Promise<void> {
  const from = await pickSource(server);
  const to = from && (await pickDestination(from));
  if (!from || !to) {
    return;
  }
  const argument = { from, to, recursive: true };
  for (let force = false; ; force = true) {
    try {
      await migrateOnce(server, { ...argument, force });
      return;
    } catch (error) {
      if (force || toTropError(error).kind !== 'reservation_conflict') {
        throw error;
      }
    }
  }
}

/** Creates the data directory and the store, or brings them up to date. */
export async function initialize(server: Server): Promise<void> {
  const plan = await server.run<InitResult>('trop.init', { dryRun: true });
  if (plan.actions.length === 0) {
    void information(`Trop: the data directory ${plan.dataDir} is there already.`);
    return;
  }
  const { question, detail } = initQuestion(plan);
  if (await confirm(question, detail, 'Initialize')) {
    const done = await server.run<InitResult>('trop.init');
    showWarnings(done.warnings);
    void information(`Trop: the data directory is ${done.dataDir}.`);
  }
}

async function migrateOnce(server: Server, argument: { from: string; to: string; force: boolean }): Promise<void> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: 'Migrating reservations',
    cancellable: true,
  };
  const perform = (command: string, whole: object): Thenable<MigrateResult> =>
    vscode.window.withProgress(options, (_progress, token) => server.run<MigrateResult>(command, whole, token));
  const done = await doAsAsked(server, 'trop.migrate', argument, agreeToMigrate, perform);
  if (done) {
    sayDone('trop.migrate', done);
  }
}

/** Whether a person agrees to a migration, which names what moves and what is lost; where nothing moves, that is said. */
export function agreeToMigrate(planned: MigrateResult): Promise<boolean> {
  if (planned.migratedCount === 0) {
    void information(`Trop: nothing is reserved at or below ${planned.from}.`);
    return Promise.resolve(false);
  }
  const { question, detail } = migrateQuestion(planned);
  return confirm(question, detail, planned.overwrittenCount > 0 ? 'Overwrite and Migrate' : 'Migrate');
}

async function pickRelease(server: Server): Promise<object | undefined> {
  const folder = await pickFolder('The folder whose ports are released');
  if (!folder) {
    return undefined;
  }
  const here = { folder: folder.uri.toString() };
  const reservations = await reservationsOf(server, folder.uri);
  if (reservations.length < 2) {
    return here;
  }
  const each = reservations.map((reservation) => ({
    label: `${reservation.port}`,
    description: reservation.tag ?? '',
    argument: { ...here, ...only(reservation) },
  }));
  const all = { label: `All ${reservations.length} ports`, description: folder.name, argument: here };
  return (await pick([all, ...each], { placeHolder: 'What to release' }))?.argument;
}

function only({ tag }: Reservation): object {
  return tag === null ? { untaggedOnly: true } : { tag };
}

/** What a person pointed at, wherever it is: it may be unrelated to the open folders. */
function pointedAt({ reservation, directory }: Target): object | undefined {
  if (reservation) {
    return { path: reservation.path, ...only(reservation), allowUnrelatedPath: true };
  }
  return directory === undefined ? undefined : { path: directory, allowUnrelatedPath: true };
}

async function pickSource(server: Server): Promise<string | undefined> {
  const byPath = groupBy(await allReservations(server), (reservation) => reservation.path);
  const stored = [...byPath].map(([path, members]) => ({
    label: path,
    description: members.map(portWords).join(', '),
    path,
  }));
  const title = 'Migrate Reservations (1/2)';
  const placeHolder = 'The directory whose reservations move, with all below it';
  const picked = await pickOrTypePath([...stored, elsewhere], { title, placeHolder });
  if (typeof picked === 'string') {
    return picked;
  }
  return picked === elsewhere ? askForPath(title, 'The directory whose reservations move', '') : picked?.path;
}

async function pickDestination(from: string): Promise<string | undefined> {
  const open = folderPaths().filter((path) => path !== from);
  const items = [...open.map((path) => ({ label: path, path })), elsewhere];
  const title = 'Migrate Reservations (2/2)';
  const picked = await pickOrTypePath(items, { title, placeHolder: `Where the reservations of ${from} move to` });
  if (typeof picked === 'string') {
    return picked;
  }
  return picked === elsewhere ? askForPath(title, 'The directory that they move to', from) : picked?.path;
}

function askForPath(title: string, prompt: string, value: string): Thenable<string | undefined> {
  return ask({ title, prompt, value, ignoreFocusOut: true });
}
