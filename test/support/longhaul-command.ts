/** The built command as a person gives it, in a process of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { CHECKOUT, LONGHAUL_COMMAND } from '../../infra/checkout';

export interface Given {
  /** What it has said so far. */
  text: () => string;
  interrupt: () => void;
  /** Its exit code. */
  ended: Promise<number | null>;
}

const given: ChildProcess[] = [];

/** Builds what is not built. */
export function setUp(): void {
  execFileSync(process.execPath, [join(CHECKOUT, 'infra/bin/setup.js')], { stdio: 'ignore' });
}

/** Without a server that this process' environment may name. */
export function longhaul(...args: string[]): Given {
  const { TEMPORAL_ADDRESS: _, ...env } = process.env;
  const child = spawn(process.execPath, [LONGHAUL_COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  given.push(child);
  let text = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', chunk => (text += chunk));
  return {
    text: () => text,
    interrupt: () => child.kill('SIGINT'),
    ended: new Promise(resolve => child.once('close', resolve)),
  };
}

/** @throws what it has said, where the condition does not come true in 90 seconds */
export async function until(condition: () => boolean, { text }: Given): Promise<void> {
  const limit = Date.now() + 90_000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`waited in vain; so far:\n${text()}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** Whatever a test that failed has left. */
export function killAll(): void {
  for (const child of given) child.kill('SIGKILL');
}
