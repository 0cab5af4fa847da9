import * as vscode from 'vscode';

interface PythonApi {
  environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(environment: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
  };
}

/** How long the Python extension may look for an interpreter, in milliseconds; then it goes without. */
const PATIENCE = 20_000;

/**
 * The interpreter that the Python extension uses for a folder; undefined if that extension is not installed.
 *
 * What goes wrong in that extension is its own matter: it is logged, and counts as no interpreter.
 */
export async function selectedInterpreter(
  folder: vscode.Uri | undefined,
  log: vscode.LogOutputChannel,
): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (!extension) {
    return undefined;
  }
  try {
    return await Promise.race([ask(extension, folder), impatience()]);
  } catch (error) {
    log.info(`The Python extension did not tell its interpreter: ${String(error)}`);
    return undefined;
  }
}

async function ask(
  extension: vscode.Extension<PythonApi>,
  folder: vscode.Uri | undefined,
): Promise<string | undefined> {
  const { environments } = await extension.activate();
  const environment = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(folder));
  return environment?.executable.uri?.fsPath;
}

function impatience(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      reject(new Error('it takes too long'));
    }, PATIENCE).unref();
  });
}
