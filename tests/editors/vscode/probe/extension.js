// An ear of the tests inside of the extension host: runs the functions that the driver sends, one a connection.
const fs = require('node:fs');
const net = require('node:net');
const vscode = require('vscode');

async function run(text) {
  try {
    const { source, args } = JSON.parse(text);
    const result = await new Function(`return (${source})`)()(vscode, ...args);
    return { result: result ?? null };
  } catch (error) {
    return { error: String(error?.stack ?? error) };
  }
}

exports.activate = (context) => {
  const socket = process.env.TROP_TEST_PROBE;
  fs.rmSync(socket, { force: true });
  const server = net.createServer({ allowHalfOpen: true }, (connection) => {
    let text = '';
    connection.setEncoding('utf8');
    connection.on('data', (piece) => (text += piece));
    connection.on('end', async () => connection.end(JSON.stringify(await run(text))));
  });
  server.listen(socket);
  context.subscriptions.push({ dispose: () => server.close() });
};
