import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { Reservation } from '../src/protocol';
import { ReservationsView } from '../src/reservationsView';
import type { Server, ServerState } from '../src/server';
import { contexts, treeView } from './support/vscode';

let stored: Reservation[];
let asked: number;
let state: ServerState;
let failure: Error | undefined;
let view: ReservationsView;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  stored = [];
  asked = 0;
  state = 'running';
  failure = undefined;
  const server = {
    get state() {
      return state;
    },
    read: () => {
      asked += 1;
      if (failure) {
        return Promise.reject(failure);
      }
      return Promise.resolve({ reservations: stored, next: null, warnings: [] });
    },
  };
  view = new ReservationsView(server as unknown as Server);
});

afterEach(() => {
  view.dispose();
  mock.timers.reset();
});

function reservation(path: string, port: number, rest: Partial<Reservation> = {}): Reservation {
  const times = { createdAt: '2026-01-01T00:00:00Z', lastUsedAt: '2026-01-01T00:00:00Z' };
  return { port, path, tag: null, project: null, task: null, occupied: false, holder: null, ...times, ...rest };
}

/** What the tree says, a line for each row. */
function drawn(): string[] {
  const rows = (node: Parameters<typeof view.getTreeItem>[0], indent: string): string[] => {
    const { label, description } = view.getTreeItem(node);
    const words = [label, description].filter((word) => typeof word === 'string');
    return [indent + words.filter(Boolean).join(' · '), ...view.getChildren(node).flatMap((child) => rows(child, `${indent}  `))];
  };
  return view.getChildren().flatMap((node) => rows(node, ''));
}

/** Lets time pass, and whatever that brings come to its end. */
async function pass(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  await new Promise(setImmediate);
}

test('ports are grouped by project and directory, and those without a project come last', async () => {
  stored = [
    reservation('/work/a', 5000),
    reservation('/work/b', 5001, { project: 'shop' }),
    reservation('/work/b', 5002, { project: 'shop', tag: 'api' }),
    reservation('/work/c', 5003, { project: 'bank', task: 'login' }),
    reservation('/work/d', 5004, { project: 'shop', missing: true }),
  ];

  await view.refresh();

  assert.deepEqual(drawn(), [
    'bank · 1',
    '  c · /work',
    '    5003 · login',
    'shop · 3',
    '  b · /work',
    '    5001',
    '    5002 · api',
    '  d · missing · /work',
    '    5004',
    'No project · 1',
    '  a · /work',
    '    5000',
  ]);
});

test('a directory whose ports have two projects stands in both, as two rows of their own', async () => {
  stored = [
    reservation('/work/a', 5000, { project: 'shop' }),
    reservation('/work/a', 5001, { project: 'bank', tag: 'web' }),
  ];

  await view.refresh();

  assert.deepEqual(drawn(), ['bank · 1', '  a · /work', '    5001 · web', 'shop · 1', '  a · /work', '    5000']);
  const ids = view.getChildren().flatMap((node) => view.getChildren(node).map((child) => view.getTreeItem(child).id));
  assert.equal(new Set(ids).size, 2);
});

test('every row is read out, a port with who listens', async () => {
  stored = [
    reservation('/work/a', 5000, { project: 'shop', missing: true }),
    reservation('/work/b', 5001, {
      tag: 'api',
      occupied: true,
      holder: { pid: 7, name: 'node', relation: 'other', directory: '/work/c' },
    }),
  ];

  await view.refresh();

  const said: (string | undefined)[] = [];
  const listen = (node: Parameters<typeof view.getTreeItem>[0]): void => {
    said.push(view.getTreeItem(node).accessibilityInformation?.label);
    view.getChildren(node).forEach(listen);
  };
  view.getChildren().forEach(listen);
  assert.deepEqual(said, [
    'Project shop, 1 port',
    'Directory /work/a, missing',
    'Port 5000, a, nothing listens',
    'No project, 1 port',
    'Directory /work/b',
    'Port 5001, api, b, node (7) of /work/c listens',
  ]);
});

test('it looks every five seconds while it is in sight, and never once it is hidden', async () => {
  await view.refresh();
  assert.equal(asked, 1);
  await pass(4999);
  assert.equal(asked, 1);
  await pass(1);
  assert.equal(asked, 2);
  await pass(5000);
  assert.equal(asked, 3);

  treeView.show(false);
  await pass(60_000);
  await view.refresh(); // Whatever happens meanwhile.
  await pass(60_000);
  assert.equal(asked, 3);

  treeView.show(true);
  await pass(0);
  assert.equal(asked, 4);
  await pass(5000);
  assert.equal(asked, 5);
});

test('it asks for nothing while no server runs, and looks whether one does', async () => {
  state = 'failed';
  await view.refresh();
  await pass(5000);
  assert.equal(asked, 0);

  state = 'running';
  await pass(5000);

  assert.equal(asked, 1);
});

test('that nothing is reserved is said only where it was looked, and nothing found', async () => {
  const said: unknown[] = [];
  const look = async (): Promise<void> => {
    await view.refresh();
    said.push(contexts.get('trop.nothingReserved'));
  };

  state = 'starting';
  await look();
  state = 'running';
  await look();
  failure = new Error('no answer');
  await look();
  failure = undefined;
  stored = [reservation('/work/a', 5000)];
  await look();

  assert.deepEqual(said, [false, true, false, false]);
});

test('a port whose listener nobody knows has no sign of its own folder', async () => {
  const holder = { pid: 7, name: 'node', directory: null };
  stored = [
    reservation('/work/a', 5000, { occupied: true, holder: { ...holder, relation: 'own' } }),
    reservation('/work/a', 5001, { tag: 'b', occupied: true, holder: { ...holder, relation: 'unknown' } }),
    reservation('/work/a', 5002, { tag: 'c', occupied: true }),
  ];

  await view.refresh();

  const [project] = view.getChildren();
  const rows = view.getChildren(project).flatMap((directory) => view.getChildren(directory));
  const colours = rows.map((row) => (view.getTreeItem(row).iconPath as { color?: { id: string } }).color?.id);
  assert.deepEqual(colours, ['charts.green', undefined, undefined]);
});

test('only what has changed is drawn anew', async () => {
  const labels: unknown[] = [];
  view.onDidChangeTreeData((nodes) => labels.push(nodes?.map((node) => view.getTreeItem(node).label)));
  stored = [reservation('/work/a', 5000), reservation('/work/a', 5001, { tag: 'b' })];

  await view.refresh();
  await pass(5000);
  assert.deepEqual(labels, [undefined]);
  stored = [reservation('/work/a', 5000), reservation('/work/a', 5001, { tag: 'b', occupied: true, task: 'new' })];
  await pass(5000);
  assert.deepEqual(labels, [undefined, ['5001']]);
  assert.deepEqual(drawn(), ['No project · 2', '  a · /work', '    5000', '    5001 · b · new · something listens']);
  stored = stored.slice(0, 1);
  await pass(5000);

  assert.deepEqual(labels, [undefined, ['5001'], undefined]);
  assert.deepEqual(drawn(), ['No project · 1', '  a · /work', '    5000']);
});

test('a view that is gone looks no more', async () => {
  await view.refresh();

  view.dispose();
  await pass(60_000);

  assert.equal(asked, 1);
});
