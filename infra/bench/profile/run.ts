/** A row's work with the profiler on. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../user-error.js';
import { modelOf } from '../models.js';
import { startOurs } from '../ours.js';
import type { Row } from '../rows.js';
import { assign, type Given } from '../work.js';
import { type Profile, profileOf } from './operators.js';
import { readTraces, TRACES, traceFiles } from './traces.js';

export interface ProfileOptions {
  turns: number;
  threads: number;
  given: Given;
  byShapes: boolean;
  /** The profiled engine, where it does not lie beside this file. */
  program?: string;
}

/** Milliseconds. */
const LOOK = 50;

/**
 * @returns what all turns took together, and their time by the clock in seconds
 * @throws UserError for a whole run, which has no engine of its own, and for a trace that was cut off
 */
export async function profileRow(
  { id, work, activations }: Pick<Row, 'id' | 'work' | 'activations'>,
  { turns, threads, given, byShapes, program = join(__dirname, 'child.js') }: ProfileOptions,
): Promise<Profile & { wall: number }> {
  if (work.kind === 'run')
    throw new UserError(`${id} is a whole run: npm run bench -- overhead says where its time goes.`);
  const scratch = await mkdtemp(join(tmpdir(), 'longhaul-profile-'));
  const traces = join(scratch, 'traces');
  await mkdir(traces);
  process.env[TRACES] = traces;
  try {
    const { directory, vocabularySize } = await modelOf(work.model, scratch, given.smollm2);
    const side = await startOurs(assign(work, directory, vocabularySize, threads), {
      program,
      ...(activations && { memory: activations }),
    });
    // What is made before the first turn prepares it, and does nothing in it.
    const before = await traceFiles(traces);
    let wall = 0;
    try {
      for (let turn = 0; turn < turns; turn++) wall += (await side.repeat()).seconds;
      await ended(side.pid);
    } finally {
      await side.close();
    }
    return { ...profileOf(await readTraces(id, traces, before), byShapes), wall };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Lets the process write its traces, and waits until it has. */
async function ended(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(LOOK);
  }
}
