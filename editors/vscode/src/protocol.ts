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
}

interface Answer {
  warnings: string[];
}

interface Planned extends Answer {
  dryRun: boolean;
}

export interface ReserveResult extends Planned {
  reservation: Reservation;
  outcome: 'created' | 'reused' | 'updated' | 'reallocated';
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
}

export interface InitResult extends Planned {
  dataDir: string;
  databasePath: string;
  actions: { kind: string; path: string }[];
}

/** What the server knows of each of its commands, in `capabilities.experimental.trop.commands`. */
export interface CommandDescription {
  command: string;
  readOnly: boolean;
}

/** An error with a sentence for a person, and a hint that says what to do next where there is one. */
export class TropError extends Error {
  constructor(
    message: string,
    readonly kind: string,
    readonly hint = '',
  ) {
    super(message);
  }
}

/** Turns what a request was rejected with into a TropError; what did not come from trop has the kind `internal`. */
export function toTropError(error: unknown): TropError {
  if (error instanceof TropError) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  if (typeof data === 'object' && data !== null && 'kind' in data && typeof data.kind === 'string') {
    return new TropError(message, data.kind, 'hint' in data && typeof data.hint === 'string' ? data.hint : '');
  }
  return new TropError(message, 'internal');
}
