/** A peer's side of a row: a Python process that takes its assignment and its turns as JSON lines (peers/peer.py). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHECKOUT } from '../checkout.js';
import type { Peer } from './rows.js';
import { type Repetition, type Side, UnavailableError } from './side.js';
import type { Assignment } from './work.js';

export const PEERS_FOLDER = join(CHECKOUT, 'infra', 'bench', 'peers');

/** Lines of its standard error that are kept to explain its end. */
const KEPT_LINES = 12;

type Answer = { ready: Record<string, string> } | { unavailable: string } | Repetition;

/** Starts the peer and waits until it is ready for its first turn. @throws UnavailableError when it cannot work here */
export async function startPeer(python: string, { title, command }: Peer, assignment: Assignment): Promise<Side> {
  const [script, ...args] = command;
  const child = spawn(python, [join(PEERS_FOLDER, script), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment(assignment.threads) },
  });
  const ask = conversation(child, title);
  try {
    const answer = await ask(assignment);
    if (!('ready' in answer)) throw new Error(`${title}: answered ${JSON.stringify(answer)} before it was ready`);
    return {
      pid: child.pid!,
      versions: answer.ready,
      repeat: async () => (await ask({ turn: true })) as Repetition,
      close: () => end(child),
    };
  } catch (error) {
    await end(child);
    throw error;
  }
}

const environment = (threads: number): NodeJS.ProcessEnv => ({
  OMP_NUM_THREADS: String(threads),
  CUDA_VISIBLE_DEVICES: '', // both sides on the processor
  HF_HUB_OFFLINE: '1',
  TOKENIZERS_PARALLELISM: 'false',
  PYTHONDONTWRITEBYTECODE: '1',
});

/** Sends a line and gives the next line of the answer; rejects with the process's last words when it ends instead. */
function conversation(child: ChildProcess, title: string): (message: unknown) => Promise<Answer> {
  const lastWords: string[] = [];
  createInterface({ input: child.stderr! }).on('line', line => {
    lastWords.push(line);
    if (lastWords.length > KEPT_LINES) lastWords.shift();
  });
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject);
    // Once both streams are drained, so that nothing it said is lost.
    child.on('close', (code, signal) =>
      reject(new Error([`${title} ended with ${signal ?? `code ${code}`}:`, ...lastWords].join('\n'))),
    );
  });
  failed.catch(() => {}); // an end between two turns is told at the next
  child.stdin!.on('error', () => {}); // its end says more
  return async message => {
    child.stdin!.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await Promise.race([answers.next(), failed]);
    if (done) return failed;
    const answer = JSON.parse(value) as Answer;
    if ('unavailable' in answer) throw new UnavailableError(answer.unavailable);
    return answer;
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
