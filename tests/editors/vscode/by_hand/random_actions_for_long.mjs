import assert from 'node:assert/strict';
import { actAtRandom } from '../random_actions.mjs';

const ENOUGH = 6;

export default async function (scene) {
  const samples = await actAtRandom(scene, Number(process.env.TROP_TEST_SECONDS ?? 900));
  if (samples.length < ENOUGH) {
    console.log('too short to tell whether anything grows');
    return;
  }
  // After a third of the time, whatever is loaded on its first use has been used.
  const early = samples[Math.floor(samples.length / 3)];
  const late = samples.at(-1);
  for (const process of ['host', 'server']) {
    assert.equal(late[process].pid, early[process].pid);
    assert.ok(late[process].files <= early[process].files + 5, `${process} holds ever more open files`);
    assert.ok(late[process].memory <= early[process].memory * 1.25, `${process} holds ever more memory`);
  }
}
