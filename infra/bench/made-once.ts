/** Folders in the user's cache that take long to make: made once, used again as long as they are what is wanted. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../user-error.js';

export interface Wanted {
  /** What it is, in a word: the beginning of the folder's name. */
  name: string;
  /** All that its content depends on; the end of the folder's name is the hash of it. */
  wanted: string;
  /** The folder is made below it. */
  cache: string;
}

/** Written when all is there, so that a making cut short is not taken for one. */
const COMPLETE = 'complete';

export function folderOf({ name, wanted, cache }: Wanted): string {
  return join(cache, `${name}-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`);
}

export function isMade(what: Wanted): boolean {
  const stamp = join(folderOf(what), COMPLETE);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === what.wanted;
}

/** The folder, made by `make` unless it is whole already. What an earlier making left behind is removed before. */
export async function madeOnce(what: Wanted, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = folderOf(what);
  if (isMade(what)) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(what.cache, { recursive: true });
  await make(folder);
  await writeFile(join(folder, COMPLETE), what.wanted);
  return folder;
}

/** Runs a program with its output on our standard error. @throws UserError of `advice` when it fails */
export async function step(command: string, args: string[], advice: string[], cwd?: string): Promise<void> {
  const failure = await new Promise<string | null>(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', process.stderr, process.stderr], cwd });
    child.on('error', error => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code === 0 ? null : `ended with ${signal ?? `code ${code}`}`));
  });
  if (failure !== null) throw new UserError([`${command} ${args.join(' ')}: ${failure}`, ...advice].join('\n'));
}
