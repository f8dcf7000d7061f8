/** Onnxruntime's traces: where the profiled engine leaves them, and how they are read. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../user-error.js';
import type { TraceEvent } from './operators.js';

/** The environment variable that names the folder to the profiled engine. */
export const TRACES = 'LONGHAUL_BENCH_TRACES';

/** Events that onnxruntime keeps of a session; what follows is dropped. */
const MOST_EVENTS = 1e6;

/** The files of the sessions that there are: each is opened when its session is made. */
export const traceFiles = (folder: string): Promise<string[]> => readdir(folder);

/**
 * @param without files whose sessions did something else
 * @throws UserError for a trace that was cut off
 */
export async function readTraces(id: string, folder: string, without: readonly string[]): Promise<TraceEvent[][]> {
  const traces: TraceEvent[][] = [];
  for (const file of (await traceFiles(folder)).filter(name => !without.includes(name))) {
    const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as TraceEvent[];
    if (events.length >= MOST_EVENTS)
      throw new UserError(`${id}: onnxruntime's trace ends at ${MOST_EVENTS} events; take fewer turns (--turns).`);
    traces.push(events);
  }
  return traces;
}
