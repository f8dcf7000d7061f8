/** A Python environment with pinned packages: made once in the user's cache, used again as long as its requirements are the same. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../user-error.js';

export interface PythonOptions {
  /** The file that pip is given. */
  requirements: string;
  /** Environments are kept below it. */
  cache: string;
  log: (line: string) => void;
  /** Who needs it, and how much disk it takes; unless told the peers, with PyTorch. */
  needs?: { whom: string; disk: string };
  /** What to make the environment with. */
  python?: string;
}

const PEERS = { whom: 'the peers', disk: 'some 6 GB' };

/** Written when all is installed, so that an installation cut short is not taken for one. */
const COMPLETE = 'complete';

/**
 * The environment's `python`, made if need be with `python3 -m venv` and pip.
 * @throws UserError that says what is missing and what to do
 */
export async function pythonEnvironment(options: PythonOptions): Promise<string> {
  const {
    requirements,
    cache,
    log,
    needs: { whom, disk } = PEERS,
    python = process.env.LONGHAUL_PYTHON || 'python3',
  } = options;
  const wanted = await readFile(requirements, 'utf8');
  const folder = join(cache, `python-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`);
  const program = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const stamp = join(folder, COMPLETE);
  if ((await readFile(stamp, 'utf8').catch(() => null)) === wanted) return program;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  log(`making a Python environment for ${whom} in ${folder}`);
  await step(
    python,
    ['-m', 'venv', folder],
    [
      `${whom[0]!.toUpperCase()}${whom.slice(1)} need Python 3.10 or newer with its venv module (python3-venv on Debian and Ubuntu).`,
      'Install it, or name another interpreter: LONGHAUL_PYTHON=/path/to/python3.',
    ],
  );
  log(`installing ${wanted.trim().split('\n').join(', ')}: this can take minutes`);
  await step(
    program,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements],
    [
      `pip could not install the packages (its message is above). Python 3.10 or newer and ${disk} of disk are needed.`,
      'Without internet access, point pip at a registry that can be reached: PIP_INDEX_URL=URL.',
    ],
  );
  await writeFile(stamp, wanted);
  return program;
}

/** Runs a program with its output on our standard error. @throws UserError of `advice` when it fails */
async function step(command: string, args: string[], advice: string[]): Promise<void> {
  const failure = await new Promise<string | null>(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
    child.on('error', error => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code === 0 ? null : `ended with ${signal ?? `code ${code}`}`));
  });
  if (failure !== null) throw new UserError([`${command} ${args.join(' ')}: ${failure}`, ...advice].join('\n'));
}
