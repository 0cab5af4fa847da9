// The sentences and tables that a person reads. Knows nothing of VS Code.

import { escapeMarkdown, plain } from './plain';
import type {
  AutoreserveResult,
  CleanupResult,
  EnvResult,
  InitResult,
  MigrateResult,
  PastOperation,
  Planned,
  ReleaseResult,
  Reservation,
  ReserveResult,
  RestoreResult,
  SwapResult,
  UndoConflicts,
  UndoResult,
} from './protocol';

/** Rows of a question, and what goes into one: with more of them, its buttons are out of the sight of a small window. */
const SHOWN_ROWS = 20;
const ROW_LENGTH = 55;
const LONGEST_PATH = 200;
const SHOWN_PORTS = 3;

/** A question, and the lines below it. */
export interface Question {
  question: string;
  detail: string;
}

/** A reservation in a few words: `port 5000`, `port 5001 (tag web)`. */
export function portWords({ port, tag }: { port: number; tag: string | null }): string {
  return tag === null ? `port ${port}` : `port ${port} (tag ${tag})`;
}

/**
 * A folder's reservations in the order in which they are shown: the port that needs no tag, the services as their file
 * has them, and the rest. Without `planned`, what programs are started with, the untagged one is the first, else web.
 */
export function inOrder(
  reservations: readonly Reservation[],
  planned: Pick<EnvResult, 'port' | 'reservations'> | undefined,
): Reservation[] {
  const tags = planned ? planned.reservations.map(({ tag }) => tag) : [null, 'web'];
  const rank = ({ port, tag }: Reservation): number => {
    const place = tags.indexOf(tag);
    if (port === planned?.port) {
      return -1;
    }
    return place < 0 ? tags.length : place;
  };
  return [...reservations].sort((one, other) => rank(one) - rank(other));
}

/** Whether another directory's program is on a port. */
export function isTaken({ holder }: Reservation): boolean {
  return holder?.relation === 'other';
}

/** What stands in the status bar for a folder's reservations; a sign tells that a port of them is taken. */
export function statusText(reservations: readonly Reservation[], folder: string | undefined): string {
  // Services stand beside one another, the one that a click copies before the others. A port without a tag that is the
  // first stands for the folder.
  const most = reservations[0]?.tag === null ? 1 : SHOWN_PORTS;
  const ports = reservations.slice(0, most).map(({ port, tag }) => (tag === null ? `${port}` : `${port} ${tag}`));
  const more = most === 1 || reservations.length <= most ? [] : ['…'];
  const words = ports.length > 0 ? [...ports, ...more].join('  ') : 'Reserve Port';
  return `${reservations.some(isTaken) ? '$(warning)' : '$(plug)'} ${plain(folder === undefined ? words : `${words} · ${folder}`)}`;
}

/** A table of a folder's reservations, in Markdown. */
export function portTable(reservations: readonly Reservation[]): string {
  const rows = reservations.map((reservation) => {
    const { port, tag, project, task } = reservation;
    const cells = [tag, project, task].map((cell) => escapeMarkdown(cell ?? '–'));
    return `| ${port} | ${cells.join(' | ')} | ${useInMarkdown(reservation)} |`;
  });
  return ['| Port | Tag | Project | Task | In use |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

/** All that is known of one reservation, in Markdown. */
export function reservationDetails(reservation: Reservation): string {
  const { port, path, tag, project, task, createdAt, lastUsedAt } = reservation;
  const facts: [string, string | null][] = [
    ['Folder', path],
    ['Tag', tag],
    ['Project', project],
    ['Task', task],
    ['Reserved', moment(createdAt)],
    ['Last used', moment(lastUsedAt)],
  ];
  const lines = facts.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${escapeMarkdown(value)}`]));
  return [`**Port ${port}** ${useInMarkdown(reservation)}`, ...lines].join('  \n');
}

/** Whether something listens on its port, and whose that is, in words. */
export function useWords({ occupied, holder }: Pick<Reservation, 'occupied' | 'holder'>): string {
  if (occupied === null) {
    return 'nobody can tell whether something listens';
  }
  if (!occupied) {
    return 'nothing listens';
  }
  if (!holder) {
    return 'something listens';
  }
  const program = holder.name === null ? `process ${holder.pid}` : `${holder.name} (${holder.pid})`;
  switch (holder.relation) {
    case 'own':
      return `${program} of this folder listens`;
    case 'other':
      return `${program} of ${holder.directory ?? 'another folder'} listens`;
    default:
      return `${program} listens, and whose it is is not known`;
  }
}

/** The lines that set a folder's variables in a shell or an .env file. */
export function environmentLines(environment: Readonly<Record<string, number | string>>): string {
  const lines = Object.entries(environment).map(([name, value]) => {
    const text = `${value}`;
    return `${name}=${/^[\w.:/-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`}\n`;
  });
  return lines.join('');
}

function useInMarkdown(reservation: Reservation): string {
  const icon = reservation.occupied ? '$(circle-filled)' : '$(circle-outline)';
  return `${isTaken(reservation) ? '$(warning)' : icon} ${escapeMarkdown(useWords(reservation))}`;
}

/** What a release would do: a question, and the lines below it. */
export function releaseQuestion(plan: ReleaseResult): Question {
  const [only] = plan.released;
  const question =
    plan.releasedCount === 1 && only ? `Release ${portWords(only)}?` : `Release ${plan.releasedCount} ports?`;
  const lines = plan.released.map(
    (reservation) => `${capitalised(portWords(reservation))}: ${shortened(reservation.path)}`,
  );
  return { question, detail: joined([...cut(lines, plan.releasedCount), ...warningLines(plan)]) };
}

/**
 * What reserving other ports for what has some would do: a question, and the lines below it. Undefined where each keeps
 * its port. `before` is all that is stored, `after` what would be.
 */
export function reallocationQuestion(
  before: readonly Reservation[],
  after: readonly Reservation[],
  warnings: readonly string[],
): Question | undefined {
  const wanted = new Map(after.map((row) => [key(row), row.port]));
  const lost = before.filter((row) => (wanted.get(key(row)) ?? row.port) !== row.port);
  if (lost.length === 0) {
    return undefined;
  }
  const lines = lost.map((row) => {
    const use = row.occupied ? ` (${useWords(row)})` : '';
    return `${capitalised(portWords(row))} is given up for port ${wanted.get(key(row))}${use}`;
  });
  const question = `Give up ${counted(lost.length, 'port')} for others?`;
  return { question, detail: joined([...cut(lines, lines.length), ...warningLines({ warnings })]) };
}

/** What copying the variables of a directory would reserve: a question, and the lines below it. */
export function reserveQuestion(plan: EnvResult): Question {
  const lines = plan.reservations.map((reservation) => capitalised(portWords(reservation)));
  return {
    question: `Reserve what is missing of ${counted(lines.length, 'port')} for ${plan.directory}?`,
    detail: joined([...cut(lines, lines.length), ...warningLines(plan)]),
  };
}

/** What a migration would do: a question, and the lines below it. */
export function migrateQuestion(plan: MigrateResult): Question {
  const moves = cut(
    plan.migrated.map((move) => `${capitalised(portWords(move))}: ${shortened(move.from)} → ${shortened(move.to)}`),
    plan.migratedCount,
    plan.overwrittenCount === 0 ? SHOWN_ROWS : SHOWN_ROWS / 2,
  );
  const question = `Migrate ${counted(plan.migratedCount, 'reservation')} to ${plan.to}?`;
  if (plan.overwrittenCount === 0) {
    return { question, detail: joined([...moves, ...warningLines(plan)]) };
  }
  const lost = cut(
    plan.overwritten.map((reservation) => `${capitalised(portWords(reservation))}: ${shortened(reservation.path)}`),
    plan.overwrittenCount,
    SHOWN_ROWS / 2,
  );
  const heading = `${counted(plan.overwrittenCount, 'reservation')} in the way would be released:`;
  return { question, detail: joined([heading, ...lost, '', 'What moves:', ...moves, ...warningLines(plan)]) };
}

/** What an undo would do: a question, and the lines below it. What is lost comes first. */
export function undoQuestion(plan: UndoResult): Question {
  // What is there before and after has changed otherwise, and comes back.
  const kept = new Set(plan.restored.map(identity));
  const lost = plan.removed.filter((row) => !kept.has(identity(row)));
  const gone = lost.map((row) => `${capitalised(portWords(row))} is given up: ${shortened(row.path)}`);
  const back = plan.restored.map((row) => `${capitalised(portWords(row))} comes back: ${shortened(row.path)}`);
  const each = back.length > 0 && gone.length > 0 ? SHOWN_ROWS / 2 : SHOWN_ROWS;
  const blocks = [cut(gone, gone.length, each), cut(back, back.length, each)].filter((lines) => lines.length > 0);
  const more = plan.truncated ? [`… of ${counted(plan.changed, 'reservation')} in all`] : [];
  const lines = blocks.flatMap((block, number) => (number === 0 ? block : ['', ...block]));
  const what = `Operation ${plan.operation}, ${plan.command}, was done at ${moment(plan.time)}.`;
  return {
    question: plan.truncated ? `Undo operation ${plan.operation}?` : `Undo? ${capitalised(undoWords(plan.restored, lost))}.`,
    detail: joined([what, '', ...lines, ...more, ...warningLines(plan)]),
  };
}

/** What becomes of ports that are restored and of those that are lost; one that is both moves back. */
function undoWords(restored: readonly Reservation[], lost: readonly Reservation[]): string {
  const [stays, leaves] = [portsOf(restored), portsOf(lost)];
  const parts: [Reservation[], string, string][] = [
    [lost.filter(({ port }) => !stays.has(port)), 'is given up', 'are given up'],
    [restored.filter(({ port }) => leaves.has(port)), 'moves back', 'move back'],
    [restored.filter(({ port }) => !leaves.has(port)), 'comes back', 'come back'],
  ];
  return parts.flatMap(([rows, one, several]) => portsWords(rows, one, several)).join('; ');
}

function portsOf(rows: readonly Reservation[]): Set<number> {
  return new Set(rows.map(({ port }) => port));
}

function portsWords(rows: readonly Reservation[], one: string, several: string): string[] {
  const [first] = rows;
  if (!first) {
    return [];
  }
  return [rows.length === 1 ? `${portWords(first)} ${one}` : `${rows.length} ports ${several}`];
}

/** What keeps an undo from being done: a sentence, and a line below it for each reservation. */
export function undoRefusal({ operation, conflicts }: UndoConflicts, hint: string): { message: string; detail: string } {
  const lines = conflicts.map((each) => `${capitalised(portWords(each))}: ${each.path} ${each.reason}`);
  return {
    message: `Operation ${operation} cannot be undone as a whole, so nothing was done.`,
    detail: joined([...cut(lines, lines.length), '', hint]),
  };
}

/** An operation in a list: its number and what became of which ports, and what is known of it. */
export function operationWords(operation: PastOperation): { label: string; description: string } {
  const { id, time, command, door, directory, undoneBy } = operation;
  const undone = undoneBy === null ? [] : [`undone by ${undoneBy}`];
  const facts = [...undone, command, moment(time), door, ...(directory === null ? [] : [directory])];
  return { label: `${id}: ${changeWords(operation)}`, description: facts.join(' · ') };
}

/** What became of the ports of an operation; of one that changed very many, how many those are. */
function changeWords({ changes, changed, summary }: PastOperation): string {
  if (changes.length === 0 || changes.length < changed) {
    return summary;
  }
  const come = changes.flatMap(({ before, after }) => (before || !after ? [] : [after]));
  const gone = changes.flatMap(({ before, after }) => (after || !before ? [] : [before]));
  const other = changes.flatMap(({ before, after }) => (before && after ? [after] : []));
  const [new_, old] = [portsOf(come), portsOf(gone)];
  const parts: [Reservation[], string][] = [
    [come.filter(({ port }) => !old.has(port)), 'reserved'],
    [come.filter(({ port }) => old.has(port)), 'moved'],
    [gone.filter(({ port }) => !new_.has(port)), 'given up'],
    [other, 'changed'],
  ];
  return parts.flatMap(([rows, what]) => portsWords(rows, what, what)).join('; ');
}

const ACTIONS: Record<string, string> = {
  createDirectory: 'Create the directory',
  createDatabase: 'Create the store',
  upgradeSchema: 'Upgrade the store',
  backup: 'Back up the store to',
  rebuildDatabase: 'Empty the store',
  moveAside: 'Move aside',
  createConfig: 'Create the configuration',
  replaceConfig: 'Replace the configuration',
};

/** What any other command that takes something away would do: a question, and the reservations that would go. */
export function plannedQuestion(command: string, plan: Planned): Question {
  const { removed = [], removedCount = 0 } = plan as Partial<CleanupResult>;
  const gone = removed.map(
    ({ reservation }) => `${capitalised(portWords(reservation))} is given up: ${shortened(reservation.path)}`,
  );
  const { reservation, other } = plan as Partial<SwapResult>;
  const swapped = [reservation, other].flatMap((each) =>
    each ? [`${capitalised(portWords(each))} is from now on that of ${shortened(each.path)}`] : [],
  );
  const { file, restoredCount, replacedCount } = plan as Partial<RestoreResult>;
  const restored =
    file === undefined || replacedCount === undefined || restoredCount === undefined
      ? []
      : [`${counted(replacedCount, 'reservation')} would be replaced by ${restoredCount} of ${shortened(file)}`];
  const summary = plan.plan ? ` (${plan.plan.summary})` : '';
  const lines = [...cut(gone, removedCount), ...swapped, ...restored];
  return { question: `Run ${command}${summary}?`, detail: joined([...lines, ...warningLines(plan)]) };
}

/** What an initialisation would do: a question, and the lines below it. */
export function initQuestion(plan: InitResult): Question {
  const lines = plan.actions.map(({ kind, path }) => `${ACTIONS[kind] ?? kind} ${path}`);
  return {
    question: `Initialize ${plan.dataDir}?`,
    detail: joined([...cut(lines, lines.length), ...warningLines(plan)]),
  };
}

/** What has become of the reservations that were undone, in numbers: of all together where not all are listed. */
function fateWords({ restored, changed, truncated }: UndoResult): string {
  const back = truncated ? changed : restored.length;
  const given = changed - back;
  return [
    ...(back > 0 ? [`${counted(back, 'reservation')} as before`] : []),
    ...(given > 0 ? [`${counted(given, 'reservation')} given up`] : []),
  ].join(', ');
}

/** What a command of the server's has done; undefined where it was only to look. */
export function doneWords(command: string, result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || ('dryRun' in result && result.dryRun === true)) {
    return undefined;
  }
  switch (command) {
    case 'trop.reserve':
      return `${capitalised(portWords((result as ReserveResult).reservation))} is reserved.`;
    case 'trop.autoreserve':
    case 'trop.reserveGroup':
      return `Reserved: ${servicesWords(result as AutoreserveResult)}.`;
    case 'trop.release': {
      const { released, releasedCount } = result as ReleaseResult;
      const [only] = released;
      return `Released ${releasedCount === 1 && only ? portWords(only) : counted(releasedCount, 'port')}.`;
    }
    case 'trop.migrate': {
      const { migratedCount, to } = result as MigrateResult;
      return `Migrated ${counted(migratedCount, 'reservation')} to ${to}.`;
    }
    case 'trop.undo':
      return `Undone: ${fateWords(result as UndoResult)}.`;
    case 'trop.prune':
    case 'trop.expire':
    case 'trop.autoclean':
      return `Removed ${counted((result as CleanupResult).removedCount, 'reservation')}.`;
    case 'trop.swap': {
      const { reservation, other } = result as SwapResult;
      return `Swapped ports ${reservation.port} and ${other.port}.`;
    }
    case 'trop.restore':
      return `Restored ${counted((result as RestoreResult).restoredCount, 'reservation')}.`;
    case 'trop.init':
      return `The data directory is ${(result as InitResult).dataDir}.`;
    default:
      return undefined;
  }
}

/** The services of a group, each with its port. */
export function servicesWords({ group }: Pick<AutoreserveResult, 'group'>): string {
  return Object.entries(group)
    .map(([service, { port }]) => `${service} ${port}`)
    .join(', ');
}

/** A number with its noun: `1 reservation`, `2 reservations`. */
export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** The URL at which a port of this machine is opened. */
export function localUrl(port: number): string {
  return `http://localhost:${port}/`;
}

function identity({ port, path, tag }: Reservation): string {
  return JSON.stringify([port, path, tag]);
}

function moment(time: string): string {
  return time.replace('T', ' ').replace('Z', ' UTC');
}

/** The words with a capital at their beginning. */
export function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function warningLines({ warnings }: { warnings: readonly string[] }): string[] {
  return warnings.flatMap((warning) => ['', `Warning: ${warning}.`]);
}

function joined(lines: string[]): string {
  return lines.map(plain).join('\n');
}

/** A path of which the middle is left out where it is long: its end tells directories apart. */
function shortened(path: string): string {
  const half = LONGEST_PATH / 2;
  return path.length <= LONGEST_PATH ? path : `${path.slice(0, half - 1)}…${path.slice(-half)}`;
}

/** The first lines, as far as there are rows for them, and how many more there are. */
function cut(lines: string[], count: number, rows = SHOWN_ROWS): string[] {
  let taken = 0;
  const fitting = lines.findIndex((line) => {
    taken += Math.ceil(line.length / ROW_LENGTH);
    return taken > rows;
  });
  // One at least is shown, however long it is.
  const shown = fitting === -1 ? lines : lines.slice(0, Math.max(fitting, 1));
  return shown.length < count ? [...shown, `… and ${count - shown.length} more`] : shown;
}

/** What a reservation is known by. */
function key({ path, tag }: Reservation): string {
  return JSON.stringify([path, tag]);
}
