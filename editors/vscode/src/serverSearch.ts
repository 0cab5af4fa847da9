// Where the program trop-server is looked for. Knows nothing of VS Code; what it asks of the system is handed in.

import * as path from 'node:path';

const PROGRAM = 'trop-server';
const ENVIRONMENTS = ['.venv', 'venv'];

export interface Surroundings {
  /** The setting `trop.server.path`; empty if it is not set. */
  configured: string;
  /** The paths of the open folders. */
  folders: readonly string[];
  /** Asks for the interpreter that the Python extension uses. It may take its time, and is asked only if it matters. */
  interpreter: () => Promise<string | undefined>;
  /** The variable PATH. */
  searchPath: string;
  home: string;
  /** Whether the person trusts what is in the folders. */
  trusted: boolean;
  isProgram: (file: string) => boolean;
}

/** The program to start and how it was found; or, where there is none, which setting is wrong, if it is a setting. */
export type Finding =
  | { program: string; origin: 'setting' | 'environment' | 'path' }
  | { program: undefined; wrongSetting: string | undefined };

/**
 * Finds the server: the setting, then the workspace's Python environment, then PATH.
 *
 * A setting that names no program is not passed over for another one. In a folder that is not trusted, nothing that a
 * setting names or that lies inside of a folder is taken.
 */
export async function findServer(surroundings: Surroundings): Promise<Finding> {
  const { configured, folders, isProgram, trusted } = surroundings;
  if (trusted && configured) {
    const program = expand(configured, surroundings);
    return isProgram(program) ? { program, origin: 'setting' } : { program: undefined, wrongSetting: program };
  }
  if (trusted) {
    const program = folders.flatMap(environments).find(isProgram) ?? (await besideInterpreter(surroundings));
    if (program) {
      return { program, origin: 'environment' };
    }
  }
  const program = surroundings.searchPath
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory))
    .map((directory) => path.join(directory, PROGRAM))
    .filter((candidate) => trusted || !folders.some((folder) => isWithin(candidate, folder)))
    .find(isProgram);
  return program ? { program, origin: 'path' } : { program: undefined, wrongSetting: undefined };
}

function environments(folder: string): string[] {
  return ENVIRONMENTS.map((name) => path.join(folder, name, 'bin', PROGRAM));
}

async function besideInterpreter({ interpreter, isProgram }: Surroundings): Promise<string | undefined> {
  const python = await interpreter();
  const program = python && path.join(path.dirname(python), PROGRAM);
  return program && isProgram(program) ? program : undefined;
}

function expand(configured: string, { folders, home }: Surroundings): string {
  const filled = configured.replaceAll('${workspaceFolder}', folders[0] ?? '').replace(/^~(?=$|\/)/, home);
  return path.resolve(folders[0] ?? home, filled);
}

function isWithin(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
