/** One question across the steps: each time that it was drawn, and what its answers were worth. */

import type { Draws } from './draws.js';
import { NotThereError } from './errors.js';
import type { Samples } from './samples.js';

/** A small run is read within that time, and needs no second look. */
const WAIT_MS = 1000;

export async function questionPage({ draws, samples }: { draws: Draws; samples: Samples }, run: string, index: number) {
  const problems: string[] = [];
  const sample = await samples.at(run, index, message => void problems.push(message));
  if (!sample && problems.length === 0) throw new NotThereError(`The run "${run}" has no sample ${index}.`);
  const found = await draws.ofSample(run, index, WAIT_MS);
  return { run, index, sample, problems, ...found };
}
