/** Programs of the machine: found on the PATH, run with their last words kept. */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const SIGN_OF_LIFE_MS = 30_000;

/** Path of `program` on the PATH, or null. */
export async function which(program: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, program);
    if (await executable(path)) return path;
  }
  return null;
}

export async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Runs a program to its end; every half minute `log` hears `still`, the words for what it does, and for how long.
 * @throws Error with the exit code and the last lines that it wrote on standard error
 */
export async function work(
  [program, ...args]: [string, ...string[]],
  { env, still, log }: { env: NodeJS.ProcessEnv; still: string; log: (line: string) => void },
): Promise<void> {
  const started = performance.now();
  const clock = setInterval(
    () => log(`${still}, ${Math.round((performance.now() - started) / 1000)} s`),
    SIGN_OF_LIFE_MS,
  );
  try {
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
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
