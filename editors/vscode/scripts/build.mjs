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
  const tests = readdirSync('test').filter((name) => name.endsWith('.test.ts'));
  const entryPoints = tests.map((name) => `test/${name}`);
  const alias = { vscode: './test/support/vscode.ts' }; // There is none outside of VS Code.
  await build({ ...shared, external: [], alias, entryPoints, outdir: 'dist/tests', sourcemap: 'inline' });
} else {
  await build({ ...shared, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: true });
}
