// What goes over the wire: the part of the server's contract that this client shows.

export interface Reservation {
  port: number;
  path: string;
  tag: string | null;
  project: string | null;
  task: string | null;
  createdAt: string;
  lastUsedAt: string;
  /** Whether something listens on the port; there only where `includeOccupancy` asked for it. */
  occupied?: boolean | null;
  /** Who occupies it, and whose that is; null where it is not known. */
  holder?: Holder | null;
  /** There, and true, where the directory is missing. */
  missing?: boolean;
}

export interface Holder {
  pid: number;
  name: string | null;
  /** `own`: it belongs to the directory that the port is reserved for; `other`: to another one. */
  relation: 'own' | 'other' | 'unknown';
  directory: string | null;
}

interface Answer {
  warnings: string[];
}

export interface Planned extends Answer {
  dryRun: boolean;
  /** What a dry run of a command that takes something away gives, so that exactly what it told is done. */
  plan?: { token: string; summary: string } | null;
}

export interface ReserveResult extends Planned {
  reservation: Reservation;
  outcome: 'created' | 'reused' | 'updated' | 'reallocated';
}

export interface AutoreserveResult extends Planned {
  group: Record<string, Reservation>;
  environment: Record<string, number | string>;
  outcome: 'created' | 'reused' | 'updated' | 'reallocated' | 'extended' | 'moved';
}

export interface EnvResult extends Planned {
  /** The port that needs no tag. */
  port: number | null;
  directory: string;
  environment: Record<string, number | string>;
  reservations: Reservation[];
  outcome: AutoreserveResult['outcome'];
}

export interface UrlResult extends Planned {
  url: string;
  port: number;
}

/** What has happened to a folder's reservations without anybody's command, in a sentence. */
export interface Announcement {
  folder: string;
  message: string;
}

export interface ReleaseResult extends Planned {
  released: Reservation[];
  releasedCount: number;
}

export interface Move {
  from: string;
  to: string;
  tag: string | null;
  port: number;
}

export interface MigrateResult extends Planned {
  from: string;
  to: string;
  migrated: Move[];
  migratedCount: number;
  overwritten: Reservation[];
  overwrittenCount: number;
}

export interface ListResult extends Answer {
  reservations: Reservation[];
  next: string | null;
}

export interface ListProjectsResult extends Answer {
  projects: string[];
}

export interface ShowPathResult extends Answer {
  path: string;
  /** Where a project's configuration counts for it, the nearest first. */
  configDirectories: string[];
}

export interface PastOperation {
  id: number;
  time: string;
  command: string;
  /** The way it came in: `cli`, `lsp`, `mcp` or `hook`. */
  door: string;
  directory: string | null;
  summary: string;
  /** How many reservations it changed, and the first hundred of them. */
  changed: number;
  changes: { before: Reservation | null; after: Reservation | null }[];
  /** The operation that took this one back. */
  undoneBy: number | null;
}

export interface HistoryResult extends Answer {
  operations: PastOperation[];
  truncated: boolean;
}

export interface UndoResult extends Planned {
  operation: number;
  command: string;
  time: string;
  restored: Reservation[];
  removed: Reservation[];
  /** How many reservations the operation had changed; the lists may be shorter. */
  changed: number;
  truncated: boolean;
}

/** A reservation that keeps an operation from being undone; the reason is the end of a sentence about it. */
export interface UndoConflict {
  path: string;
  tag: string | null;
  port: number;
  reason: string;
}

export interface UndoConflicts {
  operation: number;
  conflicts: UndoConflict[];
}

export interface InitResult extends Planned {
  dataDir: string;
  databasePath: string;
  actions: { kind: string; path: string }[];
}

/** What `trop.prune`, `trop.expire` and `trop.autoclean` take away. */
export interface CleanupResult extends Planned {
  removed: { reservation: Reservation; reason: 'missing' | 'expired' }[];
  removedCount: number;
}

export interface SwapResult extends Planned {
  reservation: Reservation;
  other: Reservation;
}

export interface RestoreResult extends Planned {
  file: string;
  restoredCount: number;
  replacedCount: number;
}

/** What the server knows of each of its commands, in `capabilities.experimental.trop.commands`. */
export interface CommandDescription {
  command: string;
  readOnly: boolean;
  /** It can take away what somebody relies on. */
  destructive: boolean;
}

/** An error with a sentence for a person, and a hint that says what to do next where there is one. */
export class TropError extends Error {
  constructor(
    message: string,
    readonly kind: string,
    readonly hint = '',
    readonly details: object = {},
  ) {
    super(message);
  }
}

/** Where in a configuration something is wrong; lines and columns count from 1. */
export interface ConfigPlace {
  file: string;
  line: number | null;
  column: number | null;
}

/** The first place that an error about the configuration names; undefined where it is about something else. */
export function configPlace({ kind, details }: TropError): ConfigPlace | undefined {
  const { problems } = details as { problems?: ConfigPlace[] };
  const [first] = kind === 'config_error' && problems ? problems : [];
  return typeof first?.file === 'string' ? first : undefined;
}

/** The codes of JSON-RPC for an answer that does not come any more: what carried it is gone. */
const CONNECTION_IS_GONE = [-32097, -32096];

/** Turns what a request was rejected with into a TropError; what did not come from trop has the kind `internal`. */
export function toTropError(error: unknown): TropError {
  if (error instanceof TropError) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  if (typeof data === 'object' && data !== null && 'kind' in data && typeof data.kind === 'string') {
    const hint = 'hint' in data && typeof data.hint === 'string' ? data.hint : '';
    const details = 'details' in data && typeof data.details === 'object' ? (data.details ?? {}) : {};
    return new TropError(message, data.kind, hint, details);
  }
  if (error instanceof Error && 'code' in error && CONNECTION_IS_GONE.includes(error.code as number)) {
    return new TropError(
      "Trop's server ended before it answered. What was asked for may have been done: the view shows what is reserved.",
      'not_running',
    );
  }
  return new TropError(message, 'internal');
}

/** What is in the way of an undo; undefined where an error is about something else. */
export function undoConflicts({ kind, details }: TropError): UndoConflicts | undefined {
  const told = details as Partial<UndoConflicts>;
  return kind === 'undo_conflict' && told.conflicts?.length ? (details as UndoConflicts) : undefined;
}
