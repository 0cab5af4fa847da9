// Whether a person agrees to what a command of the server's would take away, wherever it was called from.

import { agreeToMigrate, agreeToRelease } from './changing';
import type { InitResult, MigrateResult, Planned, ReleaseResult, UndoResult } from './protocol';
import { confirm } from './show';
import { initQuestion, plannedQuestion, undoQuestion } from './text';

const NOTHING = 'nothing changes';

/** What asks about the plan of a command; without a question where it would change nothing. */
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
      default:
        break;
    }
    if (!planned.plan || planned.plan.summary === NOTHING) {
      return true;
    }
    const { question, detail } =
      command === 'trop.init' ? initQuestion(planned as InitResult) : plannedQuestion(command, planned);
    return confirm(question, detail, 'Do It');
  };
}
