/** A store larger than anybody's so far: runs of thousands of steps, as their logs would be, without a model ever trained. */
import { link, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { UpdateRecord } from '../../../activities/artifacts/index.js';
import { validateSpec } from '../../../activities/spec/index.js';
import { type FolderStore, linesText, type StageAttempt, sha256 } from '../../../activities/store/index.js';
import { readPreset } from '../../specs/spec-files.js';

const AT_ONCE = 16;

export interface MadeUpRun {
  name: string;
  /** Steps of each phase. */
  phases: number[];
  isDone: boolean;
}

/** Makes a run; those of the same phases share their steps' files, which the page reads as if each had its own. */
export async function makeRun(store: FolderStore, run: MadeUpRun, like: MadeUpRun | null): Promise<void> {
  const folder = join(store.root, 'runs', run.name);
  const spec = validateSpec(await readPreset('tiny'), {
    ...Object.fromEntries(run.phases.map((steps, k) => [`phases.${k}.steps`, steps])),
  });
  const phases = spec.phases.slice(0, run.phases.length);
  await place(join(folder, 'spec.json'), JSON.stringify({ ...spec, warmup: null, phases }));
  for (const [k, steps] of run.phases.entries()) {
    const stage: StageAttempt = { run: run.name, stage: `phase-${k + 1}`, attempt: 1 };
    await makePhase(store, stage, steps, like && join(store.root, 'runs', like.name));
    if (run.isDone || k + 1 < run.phases.length)
      await place(stageFile(folder, stage, 'steps.jsonl'), linesText(linesOf(stage, steps)));
  }
  if (run.isDone) await place(join(folder, 'result.json'), JSON.stringify(resultOf(run)));
}

const stageFile = (folder: string, { stage }: StageAttempt, file: string) => join(folder, stage, '1', file);

/** A file with the hash that the store keeps of it. */
async function place(file: string, text: string): Promise<void> {
  const [folder, name] = [join(file, '..'), file.slice(file.lastIndexOf('/') + 1)];
  await mkdir(join(folder, '.sums'), { recursive: true });
  await writeFile(file, text);
  await writeFile(join(folder, '.sums', name), sha256(text));
}

async function makePhase(store: FolderStore, stage: StageAttempt, steps: number, like: string | null): Promise<void> {
  const folder = join(store.root, 'runs', stage.run);
  await place(stageFile(folder, stage, 'claim.json'), JSON.stringify({ attempt: 1, overrides: {} }));
  const numbers = Array.from({ length: steps }, (_, k) => k + 1);
  await pMap(
    numbers,
    async step => {
      const at = (root: string, file: string) => stageFile(root, stage, join('steps', String(step), file));
      if (like === null) return place(at(folder, 'update.json'), JSON.stringify(recordOf(stage, step)));
      await mkdir(at(folder, '.sums'), { recursive: true });
      for (const file of ['update.json', join('.sums', 'update.json')]) await link(at(like, file), at(folder, file));
    },
    { concurrency: AT_ONCE },
  );
}

/** Some wave, so that there is something to see. */
const wave = (step: number, period: number) => 0.5 + 0.4 * Math.sin(step / period) * Math.cos(step / 7);
const policyAt = (step: number) => ({
  name: sha256(`policy ${step}`).slice(0, 32),
  uri: 'store:none',
  sha256: sha256(`weights ${step}`),
});

function recordOf(stage: StageAttempt, step: number): UpdateRecord {
  const reward = wave(step, 90);
  const metrics = {
    ...{ loss: 0.1 * wave(step, 40), clipFraction: 0.02 * wave(step, 20), kl: 0.01 * wave(step, 30) },
    ...{ logprobDifferenceMax: wave(step, 11), logprobDifferenceMean: 0.03 * wave(step, 13), reward },
    ...{ effectiveGroups: 8, gradNorm: wave(step, 17), entropy: wave(step, 70), tokens: 1000, optimizerStep: step },
  };
  const optimizer = { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 };
  return {
    stage,
    step,
    inputs: {
      parent: policyAt(step - 1),
      freshOptimizer: step === 1,
      examples: null,
      rounds: [],
      settings: { kind: 'sft', optimizer, microBatchTokens: 4096 },
    },
    result: policyAt(step),
    skipped: null,
    metrics: [metrics],
    counts: {
      ...{ drawn: 32, carriedDrawn: 8, effective: 16, carriedEffective: 4, noVariance: 16, unscored: 0, surplus: 0 },
      ...{ trained: 16, meanReward: reward, passRate: reward },
    },
  };
}

function linesOf(stage: StageAttempt, steps: number) {
  return Array.from({ length: steps }, (_, k) => {
    const { step, skipped, counts, metrics, inputs, result } = recordOf(stage, k + 1);
    return { step, parent: inputs.parent.name, policy: result.name, sha256: result.sha256, skipped, counts, metrics };
  });
}

function resultOf({ name, phases }: MadeUpRun) {
  const sets = [100, 200, 300, 400].map(tokens => {
    const scores = { score: 60, low: 53, high: 66.5, meanPromptTokens: tokens };
    return { policy: 'final', set: `of-${tokens}`, items: 200, ...scores, uri: '' };
  });
  const stages = phases.map((steps, k) => ({
    name: `phase-${k + 1}`,
    kind: 'phase',
    steps,
    seconds: 10 * steps,
    policy: policyAt(steps),
  }));
  return { run: name, policy: policyAt(phases.at(-1)!), stages, evaluations: sets };
}

/** Whether it was made before, so that a second trial need not make it again. */
export async function isMade(root: string, runs: number): Promise<boolean> {
  const names = await readdir(join(root, 'runs')).catch(() => []);
  return names.length === runs;
}
