/** Python environments: made once in the user's cache, used again as long as they are what their requirements say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, isMade, madeOnce, step, type Wanted } from './made-once.js';

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

type Lists = Pick<PythonOptions, 'requirements' | 'bare' | 'cache'>;

function wantedOf({ requirements, bare, cache }: Lists) {
  const lists = [
    { file: requirements, flags: [] },
    ...(bare === undefined ? [] : [{ file: bare, flags: ['--no-deps'] }]),
  ];
  const what: Wanted = { name: 'python', wanted: lists.map(({ file }) => readFileSync(file, 'utf8')).join(''), cache };
  return { lists, what };
}

const programIn = (folder: string): string =>
  join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** The environment's `python`; null where it is not made yet. */
export function installedPython(lists: Lists): string | null {
  const { what } = wantedOf(lists);
  return isMade(what) ? programIn(folderOf(what)) : null;
}

/**
 * The environment's `python`, made if need be with `python3 -m venv` and pip.
 * @throws UserError that says what is missing and what to do
 */
export async function pythonEnvironment(options: PythonOptions): Promise<string> {
  const { log, needs, python = process.env.LONGHAUL_PYTHON || 'python3' } = options;
  const { lists, what } = wantedOf(options);
  const made = await madeOnce(what, async folder => {
    log(`making a Python environment for ${needs.who} in ${folder}`);
    await step(
      python,
      ['-m', 'venv', folder],
      [
        `For ${needs.who}: ${needs.python} with its venv module (python3-venv on Debian and Ubuntu) is needed.`,
        'Install it, or name another interpreter: LONGHAUL_PYTHON=/path/to/python3.',
      ],
    );
    log(`installing ${what.wanted.trim().split('\n').join(', ')}: this can take minutes`);
    for (const { file, flags } of lists)
      await step(
        programIn(folder),
        ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...flags, '-r', file],
        [
          `pip could not install the packages (its message is above). ${needs.python} and some ${needs.disk} of disk are needed.`,
          'Without internet access, point pip at a registry that can be reached: PIP_INDEX_URL=URL.',
        ],
      );
  });
  return programIn(made);
}
