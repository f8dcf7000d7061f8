/** Another commit of this project, built beside this one, to take turns with it. */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CHECKOUT } from '../checkout.js';
import { UserError } from '../user-error.js';
import { madeOnce, step } from './made-once.js';
import type { startOurs } from './ours.js';
import { UnavailableError } from './side.js';

export interface Build {
  /** As much of the commit's hash as names it. */
  commit: string;
  /** The folder that it was checked out into and built in. */
  root: string;
}

export interface BuildOptions {
  /** Builds are kept below it. */
  cache: string;
  log: (line: string) => void;
  checkout?: string;
}

/**
 * The commit's build, made if need be in a work tree of the repository. Its packages are this checkout's where both ask for
 * the same ones, else they are installed by its own set-up.
 * @throws UserError when there is no such commit, or it cannot be built
 */
export async function buildOf(name: string, { cache, log, checkout = CHECKOUT }: BuildOptions): Promise<Build> {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', checkout, ...args], PIPED)
      .toString()
      .trim();
  const sha = commitNamed(name, git);
  const commit = git('rev-parse', '--short', sha);
  const modules = join(checkout, 'node_modules');
  const wantsOurs =
    existsSync(modules) && git('show', `${sha}:package-lock.json`) === contentOf(join(checkout, 'package-lock.json'));
  const wanted = `${sha}\n${wantsOurs ? modules : ''}`;
  const root = await madeOnce({ name: 'build', wanted, cache }, async folder => {
    log(`building ${commit} in ${folder}`);
    const advice = [`${commit} could not be built (the message is above); name another commit with --against.`];
    // Forced, for git may remember a work tree there whose folder is gone.
    await step('git', ['-C', checkout, 'worktree', 'add', '--force', '--quiet', '--detach', folder, sha], advice);
    if (wantsOurs) symlinkSync(modules, join(folder, 'node_modules'), 'junction');
    await step(process.execPath, [join(folder, 'infra', 'bin', 'setup.js')], advice, folder);
  });
  return { commit, root };
}

const PIPED: ExecFileSyncOptions = { stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 };

function commitNamed(name: string, git: (...args: string[]) => string): string {
  try {
    return git('rev-parse', '--verify', '--end-of-options', `${name}^{commit}`);
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw new UserError(
      `--against ${name}: is no commit of this checkout (${stderr?.toString().trim() || (error as Error).message}); ` +
        'expected a hash, a branch or a tag.',
    );
  }
}

const contentOf = (path: string): string => readFileSync(path, 'utf8').trim();

/**
 * What starts the build's engine as a side of a row: its own code, for it speaks its own engine's protocol. It may be older
 * than a kind of work: then it is unavailable for that.
 * @throws UserError when the build has none
 */
export function startsOf({ commit, root }: Build): typeof startOurs {
  const file = join(root, 'dist', 'infra', 'bench', 'ours.js');
  if (!existsSync(file))
    throw new UserError(`${file}: is not there; expected a build of a commit with this benchmark.`);
  const { startOurs: start } = createRequire(__filename)(file) as { startOurs: typeof startOurs };
  return (assignment, options) =>
    start(assignment, options).catch((error: Error) => {
      if (error instanceof TypeError)
        throw new UnavailableError(`${commit} has no work of the kind "${assignment.work.kind}" (${error.message})`);
      throw error;
    });
}
