import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coalesce } from '../src/coalesce';

test('calls that come while the work runs share one more run after it', async () => {
  const gates: (() => void)[] = [];
  const run = coalesce(() => new Promise<void>((resolve) => gates.push(resolve)));

  const first = run();
  const others = [run(), run(), run()];
  assert.equal(gates.length, 1);
  gates[0]?.();
  await first;
  await Promise.resolve();
  assert.equal(gates.length, 2);
  gates[1]?.();
  await Promise.all(others);

  assert.equal(gates.length, 2);
});

test('the work runs again for a call that comes after it', async () => {
  let runs = 0;
  const run = coalesce(() => {
    runs += 1;
    return Promise.resolve();
  });

  await run();
  await run();

  assert.equal(runs, 2);
});
