/**
 * Makes work that never runs twice at a time: calls that come while it runs share one more run after it, so that
 * whoever calls sees a run that began after the call. The work itself has to deal with its errors.
 */
export function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  const run = (): Promise<void> => {
    if (!running) {
      running = work().finally(() => {
        running = undefined;
      });
      return running;
    }
    following ??= running.then(() => {
      following = undefined;
      return run();
    });
    return following;
  };
  return run;
}
