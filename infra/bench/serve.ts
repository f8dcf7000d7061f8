/** A Node program's side of the conversation that peer.ts leads; peers/peer.py is the same for Python. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { UserError } from '../user-error.js';
import type { Repetition } from './side.js';

const ANSWERS = 3;

export interface Work {
  /** Of what it is done with, by name. */
  versions: Record<string, string>;
  /** Does it once and gives what is to be known of it; seconds are counted here unless it counts them itself. */
  perform(): Promise<Partial<Repetition>>;
}

const send = (message: unknown): void => void writeSync(ANSWERS, `${JSON.stringify(message)}\n`);

/** Takes the assignment, then turns until there are no more, and ends the process: nobody is left to work for. */
export function serve<A>(prepare: (assignment: A) => Promise<Work>): void {
  let work: Work | undefined;
  const answer = async (line: string): Promise<unknown> => {
    if (!work) {
      work = await prepare(JSON.parse(line) as A);
      return { ready: work.versions };
    }
    const started = performance.now();
    const evidence = await work.perform();
    return { seconds: (performance.now() - started) / 1000, ...evidence };
  };
  createInterface({ input: process.stdin })
    .on('line', line => {
      answer(line).then(send, (error: Error) => {
        console.error(error instanceof UserError ? error.message : error);
        process.exit(1);
      });
    })
    .on('close', () => process.exit(0));
  // What the work has started ends with this process, by whichever way it goes.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
}
