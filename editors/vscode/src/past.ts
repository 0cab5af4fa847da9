// What was done to the reservations, and taking it back.

import { pickFolder } from './folders';
import { sayDone, showWarnings } from './messages';
import { doAsAsked } from './planned';
import type { HistoryResult, UndoResult } from './protocol';
import { type Target, targetDirectory } from './reserving';
import type { Server } from './server';
import { confirm, information, pick } from './show';
import { operationWords, undoQuestion } from './text';

const SHOWN_OPERATIONS = 100;

/** Takes back the last operation that touched a folder, or the directory that was clicked on. */
export async function undoLast(server: Server, target?: Target): Promise<void> {
  const directory = targetDirectory(target);
  if (directory !== undefined) {
    await undo(server, { path: directory });
    return;
  }
  const folder = await pickFolder('The folder whose last change is undone');
  if (folder) {
    await undo(server, { folder: folder.uri.toString() });
  }
}

/** Lists what was done, the newest first; the one that is picked can be taken back. */
export async function showHistory(server: Server): Promise<void> {
  const argument = { limit: SHOWN_OPERATIONS };
  const { operations, truncated, warnings } = await server.run<HistoryResult>('trop.history', argument);
  showWarnings(warnings);
  if (operations.length === 0) {
    void information('Trop: nothing is on record.');
    return;
  }
  const items = operations.map((operation) => ({ ...operationWords(operation), operation }));
  const what = truncated ? `The last ${operations.length} operations` : 'What was done';
  const options = { placeHolder: `${what}: pick one to undo it`, matchOnDescription: true };
  const picked = await pick(items, options);
  if (picked) {
    await undo(server, { id: picked.operation.id });
  }
}

/** Asks with what would come back and what would go, and then does exactly that. */
async function undo(server: Server, which: { id: number } | { folder: string } | { path: string }): Promise<void> {
  // What it touches elsewhere stands in the question.
  const argument = { ...which, allowUnrelatedPath: true };
  const done = await doAsAsked<UndoResult>(server, 'trop.undo', argument, (planned) => {
    const { question, detail } = undoQuestion(planned);
    return confirm(question, detail, 'Undo');
  });
  if (done) {
    showWarnings(done.warnings);
    sayDone('trop.undo', done);
  }
}
