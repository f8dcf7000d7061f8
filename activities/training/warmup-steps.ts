/** A block of warm-up SFT steps, each logged as it is made, so that a block taken up again goes on where it was left. */
import { readData, readKept, type StepInputs, type TraceItem, type UpdateRecord } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { permutation, randomStream } from '../engine/random.js';
import { applyStep, ensurePolicyLoaded, loggedStep, Publications, policyName } from '../policies/index.js';
import { codeVersion } from '../provenance/index.js';
import type { RunSpec } from '../spec/index.js';
import { type ArtifactRef, type StageAttempt, stepUri } from '../store/index.js';
import { type Supervision, supervised, timeLimit } from '../supervision/index.js';
import { timed } from '../telemetry/index.js';

export interface WarmupStepsInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  data: ArtifactRef;
  /** The policy before `from`. */
  policy: PolicyRef;
  /** Whether it is the stage's entry policy: the optimiser starts fresh. */
  entry: boolean;
  /** Steps `from` … `to`, both included, from 1. */
  from: number;
  to: number;
  /** After which no further step is begun; absent where an earlier version asks. */
  seconds?: number;
}

export interface WarmupStepsResult {
  policy: PolicyRef;
  /** The last that was made: `to`, or before it the one with which the time was up. Absent in earlier versions' results. */
  step?: number;
  /** Of the last step. */
  metrics: { loss: number; gradNorm: number; entropy: number };
  /** Mean loss over the block. */
  meanLoss: number;
  /** Response tokens trained on. */
  tokens: number;
}

export function warmupSteps(deps: EngineDependencies) {
  return (input: WarmupStepsInput): Promise<WarmupStepsResult> =>
    supervised('warming up', async supervision => {
      const spec = await readKept<RunSpec>(deps.store, input.spec);
      const { length: examples } = await readData<TraceItem>(deps.store, input.data);
      const records: UpdateRecord[] = [];
      await Publications.during(deps.store, supervision.check, async publications => {
        let { policy } = input;
        const isOver = timeLimit(input.seconds ?? Number.POSITIVE_INFINITY);
        for (let step = input.from; step <= input.to && (step === input.from || !isOver()); step++) {
          const from = { ...input, policy, entry: input.entry && step === input.from };
          const inputs = stepInputs(spec, examples, from, step);
          const make = () => warmupStep(deps, inputs, { ...from, step }, supervision, publications);
          const record = await timed(deps, 'warmup', make);
          records.push(record);
          policy = record.result;
        }
      });
      const metrics = records.flatMap(record => record.metrics);
      const { loss, gradNorm, entropy } = metrics.at(-1)!;
      const sum = (field: 'loss' | 'tokens') => metrics.reduce((total, one) => total + one[field], 0);
      return {
        policy: records.at(-1)!.result,
        step: records.at(-1)!.step,
        metrics: { loss, gradNorm, entropy },
        meanLoss: sum('loss') / metrics.length,
        tokens: sum('tokens'),
      };
    });
}

/** The step as it is logged, else made now, and logged while the next is. */
async function warmupStep(
  deps: EngineDependencies,
  inputs: StepInputs,
  { stage, step, policy, entry }: Pick<WarmupStepsInput, 'stage' | 'policy' | 'entry'> & { step: number },
  supervision: Supervision,
  publications: Publications,
): Promise<UpdateRecord> {
  const name = policyName(inputs);
  const made = await loggedStep(deps.store, stage, step, name);
  if (made) return made;
  await ensurePolicyLoaded(deps, policy, entry ? 'fresh' : 'as-trained', supervision, {
    logged: () => publications.done(),
  });
  supervision.note(`warming up, step ${step}`);
  const { sha256, metrics } = await applyStep(deps, inputs, supervision.call);
  const result = { name, uri: stepUri(stage, step, 'update.json'), sha256 };
  const code = codeVersion(deps.numerics);
  const record: UpdateRecord = { stage, step, inputs, result, skipped: null, metrics, counts: null, code };
  publications.step(record);
  deps.observer?.step(record);
  return record;
}

function stepInputs(spec: RunSpec, examples: number, input: WarmupStepsInput, step: number): StepInputs {
  const { batchSize, optimizer } = spec.warmup!;
  return {
    parent: input.policy,
    freshOptimizer: input.entry,
    examples: { data: input.data, lines: batchLines(spec.seed, input.stage, examples, batchSize, step) },
    rounds: [],
    settings: { kind: 'sft', optimizer, microBatchTokens: spec.engine.microBatchTokens },
  };
}

/** Lines of the data that step `step` (from 1) trains on: each epoch in an order of its own, its last batch what is left. */
export function batchLines(
  seed: number,
  stage: StageAttempt,
  examples: number,
  batchSize: number,
  step: number,
): number[] {
  const batches = Math.ceil(examples / batchSize);
  const epoch = Math.floor((step - 1) / batches);
  const start = ((step - 1) % batches) * batchSize;
  const order = permutation(examples, randomStream(seed, stage.stage, stage.attempt, 'epoch', epoch));
  return order.slice(start, start + batchSize);
}
