// One session of a client of the TypeScript SDK: reads what to do as JSON, and prints what came of it.
// node typescript.mjs MODULES JSON; it runs where the packages lie that package.json names.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, sdk, told] = process.argv.slice(2);
const { command, args, cwd, env, calls } = JSON.parse(told);
const require = createRequire(path.join(packages, 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
// From its version 2 on, the client is a package of its own.
const isOfVersion2 = sdk.endsWith('/client');
const { Client } = await load(isOfVersion2 ? sdk : `${sdk}/client/index.js`);
const { StdioClientTransport } = await load(isOfVersion2 ? `${sdk}/stdio` : `${sdk}/client/stdio.js`);

const client = new Client({ name: 'tests', version: '1' });
await client.connect(new StdioClientTransport({ command, args, cwd, env }));
const { tools } = await client.listTools();
const answers = [];
for (const call of calls) {
  try {
    answers.push(await client.callTool(call));
  } catch (error) {
    answers.push({ thrown: String(error) });
  }
}
console.log(JSON.stringify({ tools, answers }));
await client.close();
