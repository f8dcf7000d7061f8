/** A side of a row that is a whole run: a program (program.ts) that makes one whenever it is asked. */
import { join } from 'node:path';
import { startPeer } from '../peer.js';
import type { Side } from '../side.js';

export interface RunAssignment {
  preset: string;
  /** `path=value` settings laid over it. */
  set: string[];
}

export interface WholeRunOptions {
  /** The folder of the build whose run it is. */
  build: string;
  threads: number;
  /** Where the program does not lie beside this file. */
  program?: string;
}

export function startWholeRun(
  assignment: RunAssignment,
  { build, threads, program = join(__dirname, 'program.js') }: WholeRunOptions,
): Promise<Side> {
  const title = `a run of the build in ${build}`;
  return startPeer({ title, command: [process.execPath, program, build], threads }, assignment);
}
