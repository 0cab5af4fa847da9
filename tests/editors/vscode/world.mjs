// What a scenario's window stands in: directories, git repositories, and the command line beside the editor.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export class World {
  /** `root` holds everything that the scenario writes. The environment is that of all its processes. */
  constructor(root) {
    this.root = root;
    this.work = path.join(root, 'work');
    fs.mkdirSync(this.work, { recursive: true });
    this.bin = path.join(root, 'bin');
    fs.mkdirSync(this.bin);
    for (const program of ['trop', 'trop-server']) {
      fs.symlinkSync(path.join(process.env.TROP_TEST_SCRIPTS, program), path.join(this.bin, program));
    }
  }

  /** The variables of the window's processes: PATH has the programs under test and the system's, and no other trop. */
  environment() {
    const rest = process.env.PATH.split(':').filter((directory) => !fs.existsSync(path.join(directory, 'trop-server')));
    return { ...process.env, PATH: [this.bin, ...rest].join(':') };
  }

  /** A new directory. */
  directory(name) {
    const made = path.join(this.work, name);
    fs.mkdirSync(made, { recursive: true });
    return made;
  }

  /** A git repository with one commit. */
  repository(name) {
    const made = this.directory(name);
    fs.writeFileSync(path.join(made, 'serve.sh'), 'npm run dev -- --port "$(trop reserve)"\n');
    git(made, 'init', '-q', '-b', 'main');
    git(made, 'add', '.');
    git(made, 'commit', '-q', '-m', 'begin');
    return made;
  }

  /** A linked worktree of a repository, on a branch of its own. */
  worktree(repository, name) {
    const made = path.join(this.work, name);
    git(repository, 'worktree', 'add', '-q', '-b', name, made);
    return made;
  }

  /** Runs `trop` in a directory, and returns what it prints. */
  trop(cwd, ...args) {
    return execFileSync(path.join(this.bin, 'trop'), args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** What `trop reserve` prints in a directory. */
  reserve(cwd, ...args) {
    return Number(this.trop(cwd, 'reserve', ...args));
  }

  /** Puts many reservations of a project into a store: /PROJECT/0, /PROJECT/1, …, from a port on. */
  fill(database, count, project, port) {
    const program = [
      'import sqlite3, sys',
      'database, count, project, port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])',
      'connection = sqlite3.connect(database)',
      'rows = [(f"/{project}/{number}", port + number, project) for number in range(count)]',
      'with connection:',
      '    connection.executemany("INSERT INTO reservations VALUES (?, \'\', ?, ?, NULL, 1, 1)", rows)',
      'connection.close()',
    ];
    const python = path.join(process.env.TROP_TEST_SCRIPTS, 'python');
    execFileSync(python, ['-c', program.join('\n'), database, `${count}`, project, `${port}`]);
  }

  /** All that is stored: `{port, path, tag}` and the rest, in the order of path and tag. */
  stored() {
    return JSON.parse(this.trop(this.work, 'list', '--format', 'json', '--quiet'));
  }

  /** The ports that are stored for a path, by tag. */
  portsAt(at) {
    const rows = this.stored().filter((row) => row.path === at);
    return Object.fromEntries(rows.map((row) => [row.tag ?? '', row.port]));
  }
}

function git(cwd, ...args) {
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...identity, ...args], { cwd, stdio: 'pipe' });
}
