import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findServer, type Surroundings } from '../src/serverSearch';

const EVERYWHERE = [
  '/w/shop/.venv/bin/trop-server',
  '/w/shop/venv/bin/trop-server',
  '/w/bank/.venv/bin/trop-server',
  '/envs/shop/bin/trop-server',
  '/usr/bin/trop-server',
];

function surroundings(changes: Partial<Surroundings> & { programs?: readonly string[] } = {}): Surroundings {
  const { programs = EVERYWHERE, ...rest } = changes;
  return {
    configured: '',
    folders: ['/w/shop', '/w/bank'],
    interpreter: () => Promise.resolve('/envs/shop/bin/python'),
    searchPath: '/bin:/usr/bin',
    home: '/home/ann',
    trusted: true,
    isProgram: (file) => programs.includes(file),
    ...rest,
  };
}

test('the environments of the folders go first, then the interpreter, then PATH', async () => {
  const left = [...EVERYWHERE];
  const found = [];
  for (;;) {
    const finding = await findServer(surroundings({ programs: left }));
    if (finding.program === undefined) {
      break;
    }
    found.push([finding.program, finding.origin]);
    left.splice(left.indexOf(finding.program), 1);
  }

  assert.deepEqual(found, [
    ['/w/shop/.venv/bin/trop-server', 'environment'],
    ['/w/shop/venv/bin/trop-server', 'environment'],
    ['/w/bank/.venv/bin/trop-server', 'environment'],
    ['/envs/shop/bin/trop-server', 'environment'],
    ['/usr/bin/trop-server', 'path'],
  ]);
});

test('the interpreter is not asked for while a folder has an environment of its own', async () => {
  const interpreter = (): Promise<undefined> => Promise.reject(new Error('it was asked for'));

  const finding = await findServer(surroundings({ interpreter }));

  assert.equal(finding.program, '/w/shop/.venv/bin/trop-server');
});

test('the setting goes before all others', async () => {
  const programs = [...EVERYWHERE, '/opt/trop-server'];

  const finding = await findServer(surroundings({ configured: '/opt/trop-server', programs }));

  assert.deepEqual(finding, { program: '/opt/trop-server', origin: 'setting' });
});

for (const [configured, program] of [
  ['~/bin/trop-server', '/home/ann/bin/trop-server'],
  ['${workspaceFolder}/tools/trop-server', '/w/shop/tools/trop-server'],
  ['tools/trop-server', '/w/shop/tools/trop-server'],
] as const) {
  test(`the setting ${configured} is filled in`, async () => {
    const finding = await findServer(surroundings({ configured, programs: [program] }));

    assert.equal(finding.program, program);
  });
}

test('a setting that names no program is told, and not passed over', async () => {
  const finding = await findServer(surroundings({ configured: '~/nothing' }));

  assert.deepEqual(finding, { program: undefined, wrongSetting: '/home/ann/nothing' });
});

test('without trust only PATH counts, and of it only what lies outside of the folders', async () => {
  const searchPath = '/w/shop/venv/bin:/w/bank/..bin:.:/usr/bin';
  const programs = [...EVERYWHERE, '/opt/trop-server'];
  const untrusted = surroundings({ trusted: false, configured: '/opt/trop-server', searchPath, programs });

  const finding = await findServer(untrusted);
  const nothing = await findServer({ ...untrusted, isProgram: (file) => file !== '/usr/bin/trop-server' });

  assert.deepEqual(finding, { program: '/usr/bin/trop-server', origin: 'path' });
  assert.deepEqual(nothing, { program: undefined, wrongSetting: undefined });
});
