import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configPlace,
  type MigrateResult,
  type Reservation,
  toTropError,
  TropError,
  type UndoResult,
  undoConflicts,
} from '../src/protocol';
import {
  doneWords,
  environmentLines,
  inOrder,
  migrateQuestion,
  operationWords,
  plannedQuestion,
  portTable,
  reallocationQuestion,
  releaseQuestion,
  statusText,
  undoQuestion,
  undoRefusal,
  useWords,
} from '../src/text';

function reservation(port: number, changes: Partial<Reservation> = {}): Reservation {
  const times = { createdAt: '2026-11-22T09:00:00Z', lastUsedAt: '2026-11-22T09:00:00Z' };
  return { port, path: '/w/shop', tag: null, project: 'shop', task: null, ...times, ...changes };
}

test('the untagged port is the first of a folder, as long as nothing more is known', () => {
  const reservations = inOrder([reservation(5001, { tag: 'api' }), reservation(5000)], undefined);

  assert.equal(statusText(reservations, undefined), '$(plug) 5000');
  assert.equal(statusText(reservations.slice(1), 'shop'), '$(plug) 5001 api · shop');
  assert.equal(statusText([], undefined), '$(plug) Reserve Port');
});

test('services stand in the order of their file, behind the port that programs are started with', () => {
  const services = ['api', 'db', 'mail', 'web'].map((tag, number) => reservation(5000 + number, { tag }));
  const [api, db, mail, web] = services as [Reservation, Reservation, Reservation, Reservation];
  const left = reservation(4000);
  const shown = (...given: Parameters<typeof inOrder>): number[] => inOrder(...given).map(({ port }) => port);

  assert.deepEqual(shown([left, ...services], { port: 5003, reservations: [db, web, api] }), [5003, 5001, 5000, 4000, 5002]);
  assert.deepEqual(shown([left, ...services], { port: null, reservations: [mail, api] }), [5002, 5000, 4000, 5001, 5003]);
  assert.equal(statusText(inOrder(services, undefined), 'shop'), '$(plug) 5003 web  5000 api  5001 db  … · shop');
});

test('the status bar has a sign where a port is taken', () => {
  const holder = { pid: 7, name: 'node', relation: 'other' as const, directory: '/w/b' };
  const reservations = [reservation(5000), reservation(5001, { tag: 'web', occupied: true, holder })];

  assert.equal(statusText(reservations, undefined), '$(warning) 5000');
  assert.match(portTable(reservations), /\| \$\(warning\) node/);
});

test('reserving other ports asks where one is given up', () => {
  const holder = { pid: 7, name: 'node', relation: 'own' as const, directory: '/w/shop' };
  const before = [reservation(5003, { tag: 'worker', occupied: true, holder }), reservation(5002, { tag: 'web' }), reservation(4000)];
  const elsewhere = reservation(5004, { tag: 'worker', path: '/w/other' });
  const after = [reservation(5001, { tag: 'worker' }), reservation(5002, { tag: 'web' }), reservation(5005, { tag: 'new' })];

  assert.deepEqual(reallocationQuestion([...before, elsewhere], after, ['it is old']), {
    question: 'Give up 1 port for others?',
    detail: 'Port 5003 (tag worker) is given up for port 5001 (node (7) of this folder listens)\n\nWarning: it is old.',
  });
  assert.equal(reallocationQuestion(before.slice(1), after, []), undefined);
});

test('what was done is said in a few words, and nothing is said of a look', () => {
  const web = { reservation: reservation(5001, { tag: 'web' }), dryRun: false };

  assert.equal(doneWords('trop.reserve', web), 'Port 5001 (tag web) is reserved.');
  assert.equal(doneWords('trop.reserve', { ...web, dryRun: true }), undefined);
  assert.equal(doneWords('trop.reserveGroup', { group: { web: { port: 5001 }, api: { port: 5002 } } }), 'Reserved: web 5001, api 5002.');
  assert.equal(doneWords('trop.release', { released: [web.reservation], releasedCount: 1 }), 'Released port 5001 (tag web).');
  assert.equal(doneWords('trop.release', { released: [], releasedCount: 2 }), 'Released 2 ports.');
  assert.equal(doneWords('trop.migrate', { migratedCount: 2, to: '/w/b' }), 'Migrated 2 reservations to /w/b.');
  const undone = { restored: [web.reservation], changed: 1, truncated: false };
  assert.equal(doneWords('trop.undo', undone), 'Undone: 1 reservation as before.');
  assert.equal(doneWords('trop.undo', { ...undone, restored: [] }), 'Undone: 1 reservation given up.');
  assert.equal(doneWords('trop.undo', { ...undone, changed: 3 }), 'Undone: 1 reservation as before, 2 reservations given up.');
  assert.equal(doneWords('trop.undo', { ...undone, changed: 3, truncated: true }), 'Undone: 3 reservations as before.');
  assert.equal(doneWords('trop.prune', { removedCount: 1 }), 'Removed 1 reservation.');
  assert.equal(doneWords('trop.list', { reservations: [] }), undefined);
  assert.equal(doneWords('trop.release', null), undefined);
});

test('the table shows every reservation, and whether something listens', () => {
  const table = portTable([reservation(5000, { occupied: true }), reservation(5001, { tag: 'a|b', occupied: false })]);

  const [, , first, second] = table.split('\n');
  assert.equal(first, '| 5000 | – | shop | – | $(circle-filled) something listens |');
  assert.equal(second, '| 5001 | a\\|b | shop | – | $(circle-outline) nothing listens |');
});

test('who listens is said, and whose that is', () => {
  const holder = { pid: 42, name: 'node', relation: 'own', directory: '/w/shop' } as const;
  const words = (changes: object): string => useWords({ occupied: true, holder: { ...holder, ...changes } });

  assert.equal(words({}), 'node (42) of this folder listens');
  assert.equal(words({ relation: 'other', directory: '/w/blog' }), 'node (42) of /w/blog listens');
  assert.equal(words({ relation: 'unknown', name: null }), 'process 42 listens, and whose it is is not known');
  assert.equal(useWords({ occupied: true, holder: null }), 'something listens');
  assert.equal(useWords({ occupied: null }), 'nobody can tell whether something listens');
});

test('a program cannot put Markdown into the table by its name', () => {
  const holder = { pid: 42, name: '[x](command:y) |', relation: 'own', directory: '/w/shop' } as const;

  const [, , row] = portTable([reservation(5000, { occupied: true, holder })]).split('\n');

  assert.ok(!row?.includes('](command'));
  assert.ok(row?.includes('\\|'));
});

test('variables are lines that a shell and an .env file read alike', () => {
  const environment = { PORT: 5000, API_URL: 'http://localhost:5001/', NOTE: "it's $HOME" };

  assert.equal(environmentLines(environment), "PORT=5000\nAPI_URL=http://localhost:5001/\nNOTE='it'\\''s $HOME'\n");
});

test('a tag or a folder puts no icon into the status bar, and a path no line into a dialog', () => {
  const strange = reservation(5000, { tag: '$(sync~spin)', path: '/w/a\nPort 1: /w/b' });
  const plan = { dryRun: true, warnings: ['/w/[a](command:b)\nWarning: no'], released: [strange], releasedCount: 1 };

  assert.equal(statusText([strange], '$(bug)'), '$(plug) 5000 $\u2060(sync~spin) · $\u2060(bug)');
  assert.equal(
    releaseQuestion(plan).detail,
    'Port 5000 (tag $\u2060(sync~spin)): /w/a\\nPort 1: /w/b\n\nWarning: /w/[a]\u2060(command:b)\\nWarning: no.',
  );
});

test('a release asks by the port, or by the number of ports', () => {
  const plan = { dryRun: true, warnings: ['it is gone'] };
  const [web, api] = [reservation(5000, { tag: 'web' }), reservation(5001)];

  const one = releaseQuestion({ ...plan, released: [web], releasedCount: 1 });
  const two = releaseQuestion({ ...plan, released: [web, api], releasedCount: 2 });

  assert.equal(one.question, 'Release port 5000 (tag web)?');
  assert.equal(one.detail, 'Port 5000 (tag web): /w/shop\n\nWarning: it is gone.');
  assert.equal(two.question, 'Release 2 ports?');
});

test('a migration says what moves and what it would take away, and cuts long lists', () => {
  const moves = Array.from({ length: 30 }, (_, number) => ({
    from: `/a/${number}`,
    to: `/b/${number}`,
    tag: null,
    port: 5000 + number,
  }));
  const plan: MigrateResult = {
    from: '/a',
    to: '/b',
    migrated: moves,
    migratedCount: 1200,
    overwritten: [reservation(6000)],
    overwrittenCount: 1,
    dryRun: true,
    warnings: [],
  };

  const { question, detail } = migrateQuestion(plan);

  assert.equal(question, 'Migrate 1200 reservations to /b?');
  const lines = detail.split('\n');
  assert.deepEqual(lines.slice(0, 5), [
    '1 reservation in the way would be released:',
    'Port 6000: /w/shop',
    '',
    'What moves:',
    'Port 5000: /a/0 → /b/0',
  ]);
  assert.deepEqual(lines.slice(-2), ['Port 5009: /a/9 → /b/9', '… and 1190 more']);
});

test('a question has few lines, and none of them is long, so that its buttons stay in sight', () => {
  const deep = (number: number): string => `/w/${'deep/'.repeat(200)}${number}`;
  const moves = Array.from({ length: 30 }, (_, number) => ({ from: deep(number), to: '/b', tag: null, port: number }));
  const overwritten = moves.map(({ port, from }) => reservation(port, { path: from }));
  const counts = { migratedCount: 30, overwrittenCount: 30, dryRun: true, warnings: [] };

  const { detail } = migrateQuestion({ from: '/a', to: '/b', migrated: moves, overwritten, ...counts });

  const lines = detail.split('\n');
  const rows = lines.map((line) => Math.max(1, Math.ceil(line.length / 55)));
  assert.ok(rows.reduce((sum, each) => sum + each) <= 26);
  assert.ok(lines[1]?.endsWith('deep/0'));
  assert.equal(lines.filter((line) => line.startsWith('… and')).length, 2);
});

test('what else takes something away names it', () => {
  const answer = { dryRun: true, warnings: [], plan: { token: 'x', summary: '2 removed' } };
  const [one, two] = [reservation(5000), reservation(5001, { tag: 'api', path: '/w/b' })];
  const removed = [one, two].map((each) => ({ reservation: each, reason: 'missing' }));

  const pruned = plannedQuestion('trop.prune', Object.assign({ removed, removedCount: 2 }, answer));
  assert.equal(pruned.question, 'Run trop.prune (2 removed)?');
  assert.equal(pruned.detail, 'Port 5000 is given up: /w/shop\nPort 5001 (tag api) is given up: /w/b');

  const swapped = plannedQuestion('trop.swap', Object.assign({ reservation: one, other: two }, answer));
  assert.ok(swapped.detail.includes('Port 5001 (tag api) is from now on that of /w/b'));
  const counts = { file: '/w/old.bak', restoredCount: 3, replacedCount: 5 };
  const restored = plannedQuestion('trop.restore', Object.assign(counts, answer));
  assert.equal(restored.detail, '5 reservations would be replaced by 3 of /w/old.bak');

  // A server that gives no plan has done nothing yet, either.
  const unplanned = plannedQuestion('trop.prune', { dryRun: true, warnings: ['it is newer'] });
  assert.equal(unplanned.question, 'Run trop.prune?');
  assert.ok(unplanned.detail.endsWith('Warning: it is newer.'));
});

function undoing(restored: Reservation[], removed: Reservation[]): UndoResult {
  const operation = { operation: 7, command: 'trop.migrate', time: '2026-11-27T05:28:21Z' };
  const changed = Math.max(restored.length, removed.length);
  return { ...operation, restored, removed, changed, truncated: false, dryRun: true, plan: null, warnings: [] };
}

test('an undo says what comes back and what goes, but not that what changed goes', () => {
  const before = [reservation(5000, { path: '/w/old' }), reservation(5001, { tag: 'api', task: 'login' })];
  const after = [reservation(5000), reservation(5001, { tag: 'api' })];

  const { question, detail } = undoQuestion(undoing(before, after));

  assert.equal(question, 'Undo? Port 5000 moves back; port 5001 (tag api) comes back.');
  assert.deepEqual(detail.split('\n'), [
    'Operation 7, trop.migrate, was done at 2026-11-27 05:28:21 UTC.',
    '',
    'Port 5000 is given up: /w/shop',
    '',
    'Port 5000 comes back: /w/old',
    'Port 5001 (tag api) comes back: /w/shop',
  ]);
});

test('what an undo gives up is seen however much comes back', () => {
  const many = Array.from({ length: 30 }, (_, number) => reservation(5000 + number, { path: `/w/${number}` }));

  const plan = undoing(many, [reservation(6000)]);
  const { question, detail } = undoQuestion({ ...plan, changed: 2000, truncated: true });

  assert.equal(undoQuestion(plan).question, 'Undo? Port 6000 is given up; 30 ports come back.');
  assert.equal(question, 'Undo operation 7?'); // Of how many ports what would become is not known here.
  assert.ok(detail.includes('Port 6000 is given up: /w/shop\n\nPort 5000 comes back: /w/0\n'));
  assert.ok(detail.endsWith('Port 5009 comes back: /w/9\n… and 20 more\n… of 2000 reservations in all'));
});

test('what is in the way of an undo is a line for each, and a path adds none', () => {
  const conflict = { path: '/w/a\nPort 1: /w/b', tag: 'api', port: 5001, reason: 'is reserved anew since' };
  const error = new TropError('…', 'undo_conflict', 'Undo that first.', { operation: 7, conflicts: [conflict] });
  const undoneAlready = new TropError('…', 'undo_conflict', '', { operation: 7, conflicts: [] });
  const conflicts = undoConflicts(error);
  assert.ok(conflicts);

  const { message, detail } = undoRefusal(conflicts, error.hint);

  assert.equal(message, 'Operation 7 cannot be undone as a whole, so nothing was done.');
  assert.equal(detail, 'Port 5001 (tag api): /w/a\\nPort 1: /w/b is reserved anew since\n\nUndo that first.');
  assert.equal(undoConflicts(undoneAlready), undefined);
  assert.equal(undoConflicts(new TropError('…', 'not_found', '', { conflicts: [conflict] })), undefined);
});

test('an operation tells what it did, and whether it is undone', () => {
  const [web, api] = [reservation(5000, { tag: 'web' }), reservation(5001, { tag: 'api' })];
  const changes = [
    { before: web, after: null },
    { before: api, after: { ...api, task: 'login' } },
    { before: null, after: reservation(5002) },
    { before: null, after: reservation(5003) },
    { before: reservation(5004), after: null },
    { before: null, after: reservation(5004, { path: '/w/new' }) },
  ];
  const time = '2026-11-27T05:28:21Z';
  const operation = { id: 7, time, command: 'trop.prune', door: 'cli', summary: '2 removed', changed: 6, changes };

  assert.deepEqual(operationWords({ ...operation, directory: null, undoneBy: null }), {
    label: '7: 2 ports reserved; port 5004 moved; port 5000 (tag web) given up; port 5001 (tag api) changed',
    description: 'trop.prune · 2026-11-27 05:28:21 UTC · cli',
  });
  assert.deepEqual(operationWords({ ...operation, changed: 200, directory: '/w/shop', undoneBy: 8 }), {
    label: '7: 2 removed',
    description: 'undone by 8 · trop.prune · 2026-11-27 05:28:21 UTC · cli · /w/shop',
  });
});

test('an error of the configuration names its first place, and no other error does', () => {
  const problems = [{ file: '/w/shop/trop.yaml', line: 6, column: 1, key: null, message: 'broken YAML' }];

  assert.equal(configPlace(new TropError('…', 'config_error', '', { problems }))?.line, 6);
  assert.equal(configPlace(new TropError('…', 'config_error', '', { problems: [] })), undefined);
  assert.equal(configPlace(new TropError('…', 'not_found', '', { problems })), undefined);
});

test('a server that ended before it answered may have done what it was asked for', () => {
  const gone = Object.assign(new Error('Pending response rejected since connection got disposed'), { code: -32097 });

  const { kind, message } = toTropError(gone);

  assert.equal(kind, 'not_running');
  assert.ok(message.includes('may have been done'));
  assert.equal(toTropError(Object.assign(new Error('x'), { code: -32603 })).kind, 'internal');
});
