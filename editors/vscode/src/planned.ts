// What takes something away is done as it was shown: a dry run says what would happen, and its plan holds that.

import { type Planned, toTropError } from './protocol';
import type { Server } from './server';

/**
 * Asks with what a command of the server's would do, and then does exactly that. What has changed while the question
 * stood there, or where it stood there for too long, is asked anew. Undefined if a person has not agreed.
 */
export async function doAsAsked<Result extends Planned>(
  server: Server,
  command: string,
  argument: object,
  agree: (planned: Result) => Promise<boolean>,
  perform: (command: string, argument: object) => PromiseLike<Result> = (...call) => server.run<Result>(...call),
): Promise<Result | undefined> {
  for (;;) {
    const planned = await server.run<Result>(command, { ...argument, dryRun: true });
    if (!(await agree(planned))) {
      return undefined;
    }
    try {
      return await perform(command, { ...argument, plan: planned.plan?.token });
    } catch (error) {
      if (!['plan_changed', 'plan_expired'].includes(toTropError(error).kind)) {
        throw error;
      }
    }
  }
}
