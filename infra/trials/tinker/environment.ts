/** What the server is run with: a Python that its packages take, their environment, and what JAX has compiled before. */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installedPython, pythonEnvironment } from '../../bench/python.js';
import { CHECKOUT } from '../../checkout.js';
import { which } from '../../local/programs.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { UserError } from '../../user-error.js';

const run = promisify(execFile);

export const SERVER_FILES = join(CHECKOUT, 'infra', 'trials', 'tinker', 'server');
/** SkyRL 0.4 needs 3.12 or newer; with others than 3.12 the pinned packages were not tried. */
const WANTED = '3.12';
const CACHE = 'trials';

export interface ServerEnvironment {
  python: string;
  /** What JAX has compiled, kept from trial to trial: minutes the first time, seconds afterwards. */
  compiled: string;
}

const LISTS = {
  requirements: join(SERVER_FILES, 'requirements.txt'),
  bare: join(SERVER_FILES, 'bare-requirements.txt'),
};
const cache = (): string => join(cacheFolder(), CACHE);
const compiledIn = (): string => join(cache(), 'jax');

/** What an earlier trial has made; null where there was none. */
export function installedEnvironment(): ServerEnvironment | null {
  const python = installedPython({ ...LISTS, cache: cache() });
  return python === null ? null : { python, compiled: compiledIn() };
}

/** Made at the first time, one gigabyte in some four minutes. @throws UserError where there is no Python for it, or pip fails */
export async function serverEnvironment(log: (line: string) => void): Promise<ServerEnvironment> {
  const compiled = compiledIn();
  await mkdir(compiled, { recursive: true });
  const python = await pythonEnvironment({
    ...LISTS,
    cache: cache(),
    log,
    python: await findPython(process.env),
    needs: { who: 'the training server', python: `Python ${WANTED}`, disk: '1 GB' },
  });
  return { python, compiled };
}

/**
 * Looked for in this order: LONGHAUL_PYTHON, which is taken or refused and never passed over; `python3.12` and `python3` on
 * the PATH; pyenv's versions.
 * @throws UserError where none of them is one
 */
export async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  if (env.LONGHAUL_PYTHON) {
    const version = await versionOf(env.LONGHAUL_PYTHON);
    if (version === WANTED) return env.LONGHAUL_PYTHON;
    throw new UserError(
      `LONGHAUL_PYTHON=${env.LONGHAUL_PYTHON} ${version === null ? 'cannot be run' : `is Python ${version}`}; ` +
        `the training server needs Python ${WANTED}.`,
    );
  }
  const onPath = await Promise.all([`python${WANTED}`, 'python3'].map(name => which(name, env)));
  for (const candidate of [...onPath, ...(await ofPyenv(env))])
    if (candidate !== null && (await versionOf(candidate)) === WANTED) return candidate;
  throw new UserError(
    `There is no Python ${WANTED}, which the training server needs: neither python${WANTED} nor python3 on the PATH is ` +
      `one, nor any of pyenv's versions. Install it, or name it: LONGHAUL_PYTHON=/path/to/python${WANTED}.`,
  );
}

async function ofPyenv(env: NodeJS.ProcessEnv): Promise<string[]> {
  const versions = join(env.PYENV_ROOT || join(env.HOME || homedir(), '.pyenv'), 'versions');
  const names = await readdir(versions).catch(() => []);
  return names.filter(name => name.startsWith(`${WANTED}.`)).map(name => join(versions, name, 'bin', 'python'));
}

/** "3.12"; null of what cannot be run, such as pyenv's stand-in for a version that is not chosen. */
async function versionOf(python: string): Promise<string | null> {
  const ask = 'import sys; print("%d.%d" % sys.version_info[:2])';
  return run(python, ['-c', ask], { timeout: 30_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
}
