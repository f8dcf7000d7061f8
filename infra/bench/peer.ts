/**
 * A side of a row that is a program: it takes its assignment and its turns as JSON lines on standard input and answers on
 * its descriptor 3, for libraries print what they like. peers/peer.py and serve.ts are the programs' side of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { settingsEnvironment } from '../../activities/engine/process/index.js';
import { type Repetition, type Side, UnavailableError } from './side.js';

/** Lines of what it prints that are kept to explain its end. */
const KEPT_LINES = 12;
/** A program whose input has ended goes by itself, and ends what it started; one that is in the midst of work may not. */
const GRACE_MS = 5000;

export interface Program {
  title: string;
  /** What starts it, with its arguments. */
  command: readonly string[];
  threads: number;
}

type Answer = { ready: Record<string, string> } | { unavailable: string } | Repetition;

/** Starts the program and waits until it is ready for its first turn. @throws UnavailableError when it cannot work here */
export async function startPeer({ title, command, threads }: Program, assignment: unknown): Promise<Side> {
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment(threads) },
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
  ...settingsEnvironment({ threads }),
  OMP_NUM_THREADS: String(threads),
  CUDA_VISIBLE_DEVICES: '', // both sides on the processor
  HF_HUB_OFFLINE: '1',
  TOKENIZERS_PARALLELISM: 'false',
  PYTHONDONTWRITEBYTECODE: '1',
});

/** Sends a line and gives the next line of the answer; rejects with the process's last words when it ends instead. */
function conversation(child: ChildProcess, title: string): (message: unknown) => Promise<Answer> {
  const lastWords: string[] = [];
  for (const input of [child.stdout!, child.stderr!])
    createInterface({ input }).on('line', line => {
      lastWords.push(line);
      if (lastWords.length > KEPT_LINES) lastWords.shift();
    });
  const answers = createInterface({ input: child.stdio[3] as Readable })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject);
    // Once all streams are drained, so that nothing it said is lost.
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
  child.stdin!.end();
  await Promise.race([exited, sleep(GRACE_MS, undefined, { ref: false })]);
  child.kill('SIGKILL');
  await exited;
}
