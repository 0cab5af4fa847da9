// Whether a person agrees to what a command of the server's would take away, wherever it was called from.

import { agreeToMigrate, agreeToRelease } from './changing';
import type { CleanupResult, InitResult, MigrateResult, Planned, ReleaseResult, UndoResult } from './protocol';
import { confirm } from './show';
import { initQuestion, plannedQuestion, undoQuestion } from './text';

/** What asks about the plan of a command. Without a question only what would surely do nothing is done. */
export function agreement(command: string): (planned: Planned) => Promise<boolean> {
  return async (planned) => {
    switch (command) {
      case 'trop.release':
        return agreeToRelease(planned as ReleaseResult);
      case 'trop.migrate':
        return agreeToMigrate(planned as MigrateResult);
      case 'trop.undo': {
        const { question, detail } = undoQuestion(planned as UndoResult);
        return confirm(question, detail, 'Undo');
      }
      case 'trop.init': {
        const { question, detail } = initQuestion(planned as InitResult);
        return (planned as InitResult).actions.length === 0 || confirm(question, detail, 'Initialize');
      }
      default: {
        const { removedCount } = planned as Partial<CleanupResult>;
        const { question, detail } = plannedQuestion(command, planned);
        return (removedCount === 0 && Boolean(planned.plan)) || confirm(question, detail, 'Do It');
      }
    }
  };
}
