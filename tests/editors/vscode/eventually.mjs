/** How long anything may take before a test gives it up, in milliseconds: a bound on hanging, not a measure. */
export const PATIENCE = 120_000;

/** Waits until `look` gives something true, and returns it. What it threw last is told when it never does. */
export async function eventually(what, look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    let last;
    try {
      const seen = await look();
      if (seen) {
        return seen;
      }
      last = `got ${JSON.stringify(seen)}`;
    } catch (error) {
      last = error.message;
    }
    if (Date.now() > end) {
      throw new Error(`never came: ${what} (${last})`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
