import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Restarts } from '../src/restarts';

const MINUTE = 60_000;

test('a server is started again four times within three minutes, and not a fifth time', () => {
  const restarts = new Restarts();

  const answers = [0, 1, 2, 3, 4].map((second) => restarts.afterCrash(second * 1000));

  assert.deepEqual(answers, [true, true, true, true, false]);
});

test('crashes that lie further back do not count', () => {
  const restarts = new Restarts();

  const answers = [0, 1, 2, 3, 4, 5, 6].map((minute) => restarts.afterCrash(minute * MINUTE));

  assert.ok(answers.every(Boolean));
});

test('whoever asks for a start gets all of them again', () => {
  const restarts = new Restarts();
  [0, 1, 2, 3].forEach((second) => restarts.afterCrash(second * 1000));

  restarts.forget();

  assert.ok(restarts.afterCrash(4000));
});
