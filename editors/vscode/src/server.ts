import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import {
  CloseAction,
  type CancellationToken,
  ErrorAction,
  type ExecuteCommandParams,
  ExecuteCommandRequest,
  type InitializeResult,
  LanguageClient,
  type LanguageClientOptions,
  ShowMessageNotification,
  ShowMessageRequest,
} from 'vscode-languageclient/node';
import { folderPaths, folders } from './folders';
import type { OpenedFolders } from './openedFolders';
import { LANGUAGE } from './language';
import { askFor, mention, sayDone, showSaid } from './messages';
import { plainMessage } from './plain';
import { agreement } from './agreements';
import { doAsAsked } from './planned';
import {
  type AutoreserveResult,
  type CommandDescription,
  type EnvResult,
  type ReserveResult,
  TropError,
  toTropError,
} from './protocol';
import { allReservations } from './queries';
import { selectedInterpreter } from './pythonExtension';
import { urlText } from './reserving';
import { Restarts } from './restarts';
import { type Finding, findServer } from './serverSearch';
import { serverArguments, serverPath } from './settings';
import { confirmAsItIs } from './show';
import { type Question, reallocationQuestion } from './text';
import { saveNearest, saveProjectFiles } from './unsaved';

/** What has become of the server of this window. */
export type ServerState = 'starting' | 'running' | 'missing' | 'failed' | 'stopped';

/** The program that runs as the language server, and the version that it says it has. */
export interface Program {
  file: string;
  version: string | undefined;
}

/** How long a start may take until a person is told of it, in milliseconds. */
const SLOW_START = 20_000;

/** How long an answer about what is stored is waited for, in milliseconds. */
const PATIENCE = 30_000;

const RESTRICTED =
  'This window is in Restricted Mode, in which Trop only shows ports. Trust the workspace to reserve and change them.';

/** The client of vscode-languageclient, without its message boxes: what a person has to know is told in one place. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}

/** The one trop-server of this window: finds it, starts it, starts it again when it crashes, and speaks with it. */
export class Server implements vscode.Disposable {
  private readonly stateChanged = new vscode.EventEmitter<ServerState>();
  private readonly reservationsChanged = new vscode.EventEmitter<void>();
  /** Fires when the server has come, gone or failed. */
  readonly onDidChangeState = this.stateChanged.event;
  /** Fires when the store has changed, through this server or through another process. */
  readonly onDidChangeReservations = this.reservationsChanged.event;

  private current: ServerState = 'stopped';
  private client: LanguageClient | undefined;
  /** The client that is being started; undefined, too, for one whose start was given up. */
  private starting: LanguageClient | undefined;
  private started = '';
  private queue: Promise<void> = Promise.resolve();
  private readonly restarts = new Restarts();

  /** `onMissing` and `onFailure` tell a person; the log gets everything. */
  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly opened: OpenedFolders,
    private readonly onMissing: (finding: Finding) => void,
    private readonly onFailure: (reason: string) => void,
  ) {}

  get state(): ServerState {
    return this.current;
  }

  /** Stops the server if there is one, looks for it again and starts it. Never rejects: its end is a state. */
  restart(): Promise<void> {
    this.restarts.forget();
    this.giveUpStart();
    return this.enqueue(() => this.startAnew());
  }

  /** Looks for the server again if it was missing. */
  lookAgain(): Promise<void> {
    return this.current === 'missing' ? this.restart() : this.queue;
  }

  /** Stops the server and waits for its end. */
  stop(): Promise<void> {
    this.giveUpStart();
    return this.enqueue(async () => {
      await this.stopClient();
      this.become('stopped');
    });
  }

  /** Takes note of the folders of the window, which the server is told of by itself. */
  foldersChanged(): void {
    if (this.current === 'running') {
      this.opened.note();
    }
  }

  dispose(): void {
    this.stateChanged.dispose();
    this.reservationsChanged.dispose();
  }

  /**
   * Runs one of the server's commands; waits for a server that is just starting. Rejects with a TropError, also where
   * there is no server, and where the command would change something in a window that is not trusted.
   */
  async run<Result>(command: string, argument: object = {}, token?: CancellationToken): Promise<Result> {
    await this.settled();
    const client = this.client;
    if (!client || this.current !== 'running') {
      throw new TropError('The trop server is not running.', 'not_running');
    }
    this.refuseInRestrictedMode(command, client.initializeResult);
    await saveWhatIsRead(this, command, argument);
    const params: ExecuteCommandParams = { command, arguments: [argument] };
    try {
      return (await client.sendRequest(ExecuteCommandRequest.type, params, token)) as Result;
    } catch (error) {
      throw toTropError(error);
    }
  }

  /** Runs a command that only reads, as `run` does, but does not wait for ever: a server that hangs is told of. */
  async read<Result>(command: string, argument: object = {}): Promise<Result> {
    const cancellation = new vscode.CancellationTokenSource();
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        cancellation.cancel();
        reject(new TropError("Trop's server does not answer.", 'no_answer', 'Restarting it may help.'));
      }, PATIENCE);
    });
    try {
      return await Promise.race([this.run<Result>(command, argument, cancellation.token), impatience]);
    } finally {
      clearTimeout(timer);
      cancellation.dispose();
    }
  }

  /** The program that runs; undefined if there is none. Waits for one that is just starting. */
  async program(): Promise<Program | undefined> {
    await this.settled();
    const version = this.client?.initializeResult?.serverInfo?.version;
    return this.current === 'running' ? { file: this.started, version } : undefined;
  }

  /** Waits until nothing starts or stops any more. */
  private async settled(): Promise<void> {
    let waitedFor: Promise<void> | undefined;
    while (waitedFor !== this.queue) {
      waitedFor = this.queue;
      await waitedFor;
    }
  }

  /** Ends a server that is just starting: it may never answer, and whoever asks for another one shall not wait. */
  private giveUpStart(): void {
    const program = this.starting?.serverProcess;
    if (program) {
      this.starting = undefined;
      program.kill('SIGKILL');
    }
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(work);
    return this.queue;
  }

  private async startAnew(): Promise<void> {
    await this.stopClient();
    if (process.platform === 'win32') {
      this.become('failed');
      this.onFailure('Trop does not support Windows yet.');
      return;
    }
    this.become('starting');
    const finding = await this.find();
    if (finding.program === undefined) {
      this.log.warn('trop-server was not found.');
      this.become('missing');
      this.onMissing(finding);
      return;
    }
    this.log.info(`Starting ${finding.program} (${finding.origin}).`);
    const client = this.makeClient(finding.program);
    this.starting = client;
    const impatience = setTimeout(() => {
      this.onFailure("Trop's server is starting, and has not answered yet.");
    }, SLOW_START);
    try {
      await client.start();
      this.client = client;
      this.started = finding.program;
      this.opened.note();
    } catch (error) {
      if (this.starting !== client) {
        this.log.warn('The server was ended while it started.');
        return; // Whoever wanted that goes on.
      }
      this.log.error(`The server could not be started: ${String(error)}`);
      const { kind, message } = toTropError(error);
      this.become('failed');
      // What did not come from the server itself is about pipes and processes.
      const reason = ['internal', 'not_running'].includes(kind) ? 'The log says more.' : message;
      this.onFailure(`Trop's server could not be started. ${reason}`);
      return;
    } finally {
      clearTimeout(impatience);
      this.starting = undefined;
    }
    this.become('running');
  }

  private async stopClient(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.log.warn(`The server did not stop in order: ${String(error)}`);
    }
  }

  private find(): Promise<Finding> {
    return findServer({
      configured: serverPath(),
      folders: folderPaths(),
      interpreter: () => selectedInterpreter(folders()[0]?.uri, this.log),
      searchPath: process.env.PATH ?? '',
      home: os.homedir(),
      trusted: vscode.workspace.isTrusted,
      isProgram,
    });
  }

  private makeClient(program: string): LanguageClient {
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: 'file', language: LANGUAGE }],
      outputChannel: this.log,
      initializationOptions: () => this.opened.options(),
      initializationFailedHandler: () => false,
      // vscode-languageclient would restart by itself, but with words of its own, and muddled by a death at the start.
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          this.crashed(client);
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      middleware: {
        executeCommand: (command, args, next): unknown => {
          // An address that is stored may be read there as well.
          if (command !== 'trop.url') {
            this.refuseInRestrictedMode(command, client.initializeResult);
          }
          // A key that is bound to a command of the server's shows what that was refused with.
          return this.carryOut(command, args, next).catch(throwPlain);
        },
      },
    };
    const [cwd] = folderPaths();
    const client = new QuietClient(
      'trop',
      'Trop',
      { command: program, args: serverArguments(), ...(cwd === undefined ? {} : { options: { cwd } }) },
      options,
    );
    client.onNotification('trop/reservationsChanged', () => {
      this.reservationsChanged.fire();
    });
    client.onNotification('trop/announcement', mention);
    client.onNotification(ShowMessageNotification.type, showSaid);
    // Each question of the server is about a change.
    client.onRequest(ShowMessageRequest.type, (question) => (vscode.workspace.isTrusted ? askFor(question) : null));
    return client;
  }

  /**
   * Runs a command of the server's for a lens, a code action, a key or a configuration, and says what it has done. What
   * takes something away asks first, as everywhere in the editor; an address is a text, for `${command:trop.url}`.
   */
  private async carryOut(
    command: string,
    args: unknown[],
    next: (command: string, args: unknown[]) => unknown,
  ): Promise<unknown> {
    const [argument] = args as [{ dryRun?: unknown; plan?: unknown; force?: unknown; overwrite?: unknown } | undefined];
    if (command === 'trop.url') {
      return urlText(this, argument);
    }
    const whole = argument ?? {};
    // Whoever has the token of a plan has seen what would happen.
    const isToBeAsked = argument?.dryRun !== true && typeof argument?.plan !== 'string';
    if (isToBeAsked && RESERVING.includes(command) && (argument?.force === true || argument?.overwrite === true)) {
      return this.reallocate(command, whole);
    }
    if (isToBeAsked && described(command, this.client?.initializeResult)?.destructive) {
      const done = await doAsAsked(this, command, whole, agreement(command));
      sayDone(command, done);
      return done;
    }
    await saveWhatIsRead(this, command, whole);
    const done = await next(command, args);
    sayDone(command, done);
    return done;
  }

  /**
   * Reserves other ports where there are some, once a person has seen which ones are given up for that. What has changed
   * while the question stood there is asked anew.
   */
  private async reallocate(command: string, argument: object): Promise<unknown> {
    const whatGoes = async (): Promise<Question | undefined> => {
      await saveWhatIsRead(this, command, argument);
      const planned = await this.run<Partial<AutoreserveResult & ReserveResult & EnvResult>>(command, { ...argument, dryRun: true });
      const { group, reservation, reservations, warnings = [] } = planned;
      const after = group ? Object.values(group) : (reservations ?? (reservation ? [reservation] : []));
      return reallocationQuestion(await allReservations(this, { includeOccupancy: true }), after, warnings);
    };
    if (!(await confirmAsItIs(whatGoes, 'Reserve Others'))) {
      return undefined;
    }
    const done = await this.run<object>(command, argument);
    sayDone(command, done);
    return done;
  }

  private crashed(client: LanguageClient): void {
    if (client !== this.client) {
      return; // It went while it started: start() rejects, and that is told there.
    }
    this.client = undefined;
    this.log.warn('The server has ended by itself.');
    if (this.restarts.afterCrash(Date.now())) {
      void this.enqueue(() => this.startAnew());
    } else {
      this.become('failed');
      this.onFailure("Trop's server has crashed several times and is not started again.");
    }
  }

  private refuseInRestrictedMode(command: string, server: InitializeResult | undefined): void {
    if (described(command, server)?.readOnly !== true) {
      refuseToChange();
    }
  }

  private become(state: ServerState): void {
    if (state !== this.current) {
      this.current = state;
      void vscode.commands.executeCommand('setContext', 'trop.state', state);
      this.stateChanged.fire(state);
    }
  }
}

/** Refuses what would change something, in a window that is not trusted, with a TropError. */
export function refuseToChange(): void {
  if (!vscode.workspace.isTrusted) {
    throw new TropError(RESTRICTED, 'restricted_mode');
  }
}

const RESERVING = ['trop.reserve', 'trop.autoreserve', 'trop.reserveGroup', 'trop.env'];

/** Saves the files that say what a command is about to reserve. */
async function saveWhatIsRead(server: Server, command: string, argument: object): Promise<void> {
  const given = argument as Record<string, string | undefined> & { dryRun?: boolean; root?: boolean };
  const { config, folder, path: named, root } = given;
  if (given.dryRun === true) {
    return;
  }
  const open = folderPaths();
  if (command === 'trop.reserveGroup' && config !== undefined) {
    const file = config.startsWith('file:') ? vscode.Uri.parse(config).fsPath : path.resolve(open[0] ?? '/', config);
    await saveNearest([path.dirname(file)]);
    return;
  }
  const isClear = folder !== undefined || named !== undefined || open.length === 1;
  if (isClear && [...RESERVING, 'trop.url'].includes(command)) {
    await saveProjectFiles(server, { folder, path: named, root });
  }
}

function throwPlain(error: unknown): never {
  if (error instanceof Error) {
    error.message = plainMessage(error.message);
  }
  throw error;
}

function described(command: string, server: InitializeResult | undefined): CommandDescription | undefined {
  const experimental = server?.capabilities.experimental as { trop?: { commands: CommandDescription[] } } | undefined;
  return experimental?.trop?.commands.find((description) => description.command === command);
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false; // Whatever the system has against it, it cannot be started.
  }
}
