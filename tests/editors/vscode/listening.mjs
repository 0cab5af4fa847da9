// A program of a directory's own that listens on a port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Starts a program in a directory that listens on a port, or on any with 0; gives it and its port. */
export async function listening(cwd, wanted) {
  const program = `const s = require('node:net').createServer().listen(${wanted}, '127.0.0.1', () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', program], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout, 'data');
  return [child, Number(said)];
}
