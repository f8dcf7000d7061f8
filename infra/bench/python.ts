/** Python environments: made once in the user's cache, used again as long as they are what their requirements say. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../user-error.js';

export interface PythonOptions {
  /** The file that pip is given. */
  requirements: string;
  /** A further one, of packages that are installed without what they ask for. */
  bare?: string;
  /** Environments are kept below it. */
  cache: string;
  log: (line: string) => void;
  /** What to make the environment with. */
  python?: string;
  /** Who needs it, and how much of everything: the words of the messages. */
  needs: { who: string; python: string; disk: string };
}

/** Written when all is installed, so that an installation cut short is not taken for one. */
const COMPLETE = 'complete';

type Lists = Pick<PythonOptions, 'requirements' | 'bare' | 'cache'>;

/** Where the environment of these lists is, and the file that tells that it is whole. */
function placeOf({ requirements, bare, cache }: Lists) {
  const lists = [
    { file: requirements, flags: [] },
    ...(bare === undefined ? [] : [{ file: bare, flags: ['--no-deps'] }]),
  ];
  const wanted = lists.map(({ file }) => readFileSync(file, 'utf8')).join('');
  const folder = join(cache, `python-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`);
  const program = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  return { lists, wanted, folder, program, stamp: join(folder, COMPLETE) };
}

/** The environment's `python`; null where it is not made yet. */
export function installedPython(lists: Lists): string | null {
  const { wanted, stamp, program } = placeOf(lists);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted ? program : null;
}

/**
 * The environment's `python`, made if need be with `python3 -m venv` and pip.
 * @throws UserError that says what is missing and what to do
 */
export async function pythonEnvironment(options: PythonOptions): Promise<string> {
  const { cache, log, needs, python = process.env.LONGHAUL_PYTHON || 'python3' } = options;
  const { lists, wanted, folder, program, stamp } = placeOf(options);
  if (installedPython(options)) return program;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  log(`making a Python environment for ${needs.who} in ${folder}`);
  await step(
    python,
    ['-m', 'venv', folder],
    [
      `For ${needs.who}: ${needs.python} with its venv module (python3-venv on Debian and Ubuntu) is needed.`,
      'Install it, or name another interpreter: LONGHAUL_PYTHON=/path/to/python3.',
    ],
  );
  log(`installing ${wanted.trim().split('\n').join(', ')}: this can take minutes`);
  for (const { file, flags } of lists)
    await step(
      program,
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...flags, '-r', file],
      [
        `pip could not install the packages (its message is above). ${needs.python} and some ${needs.disk} of disk are needed.`,
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
