/**
 * Where the `temporal` program (command line and development server in one) comes from. Looked for in this order:
 *
 *  1. LONGHAUL_TEMPORAL, a path: taken or refused, never passed over;
 *  2. the PATH, when new enough;
 *  3. the cache folder, where the next two put it;
 *  4. the Temporal SDK's own download (needs the internet);
 *  5. `go install` (needs Go and a Go module proxy; about five minutes the first time).
 */
import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Updates-with-start, deployment versions and the dynamic settings used here are all in this release of the server. */
export const MINIMUM_SERVER = '1.28.0';
/** Newest release of the command line whose go.mod has no replace directive, which `go install` refuses. */
const GO_PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
const INSTRUCTIONS =
  'Install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH, ' +
  'or set LONGHAUL_TEMPORAL to its path, or install Go (https://go.dev/dl) and try again.';

export interface FindOptions {
  env?: NodeJS.ProcessEnv;
  /** Gets one line for each step that is worth showing. */
  log?: (line: string) => void;
}

/** The folder for what may be fetched once and kept across checkouts. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'longhaul');
}

/**
 * Path of a `temporal` program whose server is at least {@link MINIMUM_SERVER}; fetches or builds one when there is none.
 * @throws Error that lists what was tried, why each failed, and what to do.
 */
export async function findTemporal({ env = process.env, log = () => {} }: FindOptions = {}): Promise<string> {
  if (env.LONGHAUL_TEMPORAL) {
    const problem = await unfit(env.LONGHAUL_TEMPORAL);
    if (problem) throw new Error(`LONGHAUL_TEMPORAL=${env.LONGHAUL_TEMPORAL}: ${problem}. ${INSTRUCTIONS}`);
    return env.LONGHAUL_TEMPORAL;
  }
  const failures: string[] = [];
  for (const [where, obtain] of PLACES) {
    try {
      const path = await obtain(env, log);
      if (path === null) continue;
      const problem = await unfit(path);
      if (problem === null) return path;
      failures.push(`${where}: ${path}: ${problem}`);
    } catch (error) {
      failures.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
    log(`Temporal: ${failures.at(-1)}`);
  }
  throw new Error(
    ['No usable `temporal` program.', ...failures.map(failure => `  - ${failure}`), INSTRUCTIONS].join('\n'),
  );
}

/** A place gives a path, null when it has none, or throws with the reason why it failed. */
type Place = (env: NodeJS.ProcessEnv, log: (line: string) => void) => Promise<string | null>;

const PLACES: [string, Place][] = [
  ['PATH', onPath],
  ['cache', inCache],
  ['download', download],
  ['go install', goInstall],
];

async function onPath(env: NodeJS.ProcessEnv): Promise<string | null> {
  return which(PROGRAM, env);
}

async function inCache(env: NodeJS.ProcessEnv): Promise<string | null> {
  const path = join(cacheFolder(env), PROGRAM);
  return (await executable(path)) ? path : null;
}

/** The SDK has no call that only downloads: it starts a server from the download, which is stopped at once. */
async function download(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<string> {
  return keep(env, async folder => {
    log('Temporal: downloading the server, as the Temporal SDK does it');
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    try {
      const started = await TestWorkflowEnvironment.createLocal({
        server: { executable: { type: 'cached-download', downloadDir: folder } },
      });
      await started.teardown();
    } catch (error) {
      // The SDK repeats the whole chain of causes; the last link is the one that says something.
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`failed (${message.split('): ').at(-1)})`);
    }
    const file = (await readdir(folder)).find(name => name.startsWith('temporal'));
    if (!file) throw new Error('the SDK reported success, but left no program');
    return join(folder, file);
  });
}

async function goInstall(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<string> {
  const go = await which(process.platform === 'win32' ? 'go.exe' : 'go', env);
  if (!go) throw new Error('Go is not on the PATH');
  return keep(env, async folder => {
    log(`Temporal: building it from source: go install ${GO_PACKAGE} (about five minutes the first time)`);
    await build(go, { ...env, GOBIN: folder }, log);
    return join(folder, PROGRAM);
  });
}

/** Runs `go install`, showing from time to time that it still works. */
async function build(go: string, env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<void> {
  const started = performance.now();
  const clock = setInterval(
    () => log(`Temporal: still building, ${Math.round((performance.now() - started) / 1000)} s`),
    30_000,
  );
  try {
    const child = spawn(go, ['install', GO_PACKAGE], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', chunk => {
      complaints = (complaints + chunk).slice(-4000);
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`exit code ${code}: ${complaints.trim().split('\n').slice(-5).join(' | ')}`);
  } finally {
    clearInterval(clock);
  }
}

/** Lets `make` put a program into a temporary folder, then moves it into the cache: two at once never see half a file. */
async function keep(env: NodeJS.ProcessEnv, make: (folder: string) => Promise<string>): Promise<string> {
  const cache = cacheFolder(env);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'new-'));
  try {
    const made = await make(folder);
    const path = join(cache, PROGRAM);
    await rename(made, path);
    return path;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Why the program cannot be used, or null when it can. */
async function unfit(path: string): Promise<string | null> {
  let output: string;
  try {
    output = (await run(path, ['--version'], { timeout: 30_000 })).stdout;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return `cannot be run (${reason})`;
  }
  const server = /Server (\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (!server) return `--version says "${output.trim()}", expected "temporal version … (Server x.y.z, UI …)"`;
  if (older(server, MINIMUM_SERVER)) return `its server is ${server}, at least ${MINIMUM_SERVER} is needed`;
  return null;
}

function older(version: string, than: string): boolean {
  const [a, b] = [version, than].map(v => v.split('.').map(Number));
  const first = a!.findIndex((part, i) => part !== b![i]);
  return first >= 0 && a![first]! < b![first]!;
}

async function which(program: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, program);
    if (await executable(path)) return path;
  }
  return null;
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
