// Bundles the extension into dist/extension.js, or with --tests each unit test into dist/tests.
import { readdirSync } from 'node:fs';
import { build } from 'esbuild';

const shared = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  logLevel: 'warning',
};

if (process.argv.includes('--tests')) {
  const entryPoints = readdirSync('test').map((name) => `test/${name}`);
  await build({ ...shared, entryPoints, outdir: 'dist/tests', sourcemap: 'inline' });
} else {
  await build({ ...shared, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: true });
}
