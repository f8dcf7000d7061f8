/** Small runs whose engine dies once, for tests of what is left of it. */
import type { Operation } from '../../activities/engine/protocol/index.js';
import { driveRun } from './drive.js';
import { type SmallRun, smallRun } from './small-run.js';

interface Loss {
  what: string;
  rl: object;
  over: object;
}

const BOTH = { kl: { coefficient: 0.1 }, importanceCap: 2 };

/** What a run's loss needs beside the rollouts: nothing; a reference and the trainer's own log-probabilities. */
export const LOSSES: readonly Loss[] = [
  { what: 'rollouts alone', rl: {}, over: {} },
  { what: 'with a reference and a cap, all weights', rl: BOTH, over: {} },
  { what: 'with a reference and a cap, an adapter', rl: BOTH, over: { lora: {} } },
];

const runs: SmallRun[] = [];
export const removeRuns = () => Promise.all(runs.splice(0).map(run => run.remove()));

/** Hashes of everything that training leaves: policies by name and content. */
type Outcome = [name: string, sha256: string][];

export async function outcomes(loss: Loss): Promise<{
  undisturbed: Outcome;
  /** Of the undisturbed run. */
  calls: readonly Operation[];
  dyingAt(call: number): Promise<Outcome>;
}> {
  const peace = await fresh(loss);
  return {
    undisturbed: await outcome(peace),
    calls: peace.engine.calls,
    dyingAt: async call => {
      const run = await fresh(loss);
      run.engine.dieAt = call;
      const left = await outcome(run);
      await removeRuns();
      return left;
    },
  };
}

async function fresh({ rl, over }: Loss): Promise<SmallRun> {
  const run = await smallRun();
  runs.push(run);
  Object.assign(run.spec.rl, { maxRefills: 1 }, rl);
  Object.assign(run.spec, over);
  run.spec.warmup.batchSize = 16;
  for (const phase of run.spec.phases) phase.steps = 2;
  return run;
}

async function outcome(run: SmallRun): Promise<Outcome> {
  const { base, sft, final } = await driveRun(run);
  return [base, sft, final].map(({ name, sha256 }) => [name, sha256]);
}
