/** A block of warm-up SFT steps, each logged as it is made, so that a block taken up again goes on where it was left. */
import type { PolicyRef } from '../workflows/contract.js';
import { readData, readKept, type StepInputs, type TraceItem, type UpdateRecord } from './artifacts.js';
import { codeVersion } from './code-version.js';
import type { EngineDependencies } from './dependencies.js';
import { permutation, randomStream } from './engine/random.js';
import { ensurePolicyLoaded } from './policy.js';
import { logStep } from './redo-log.js';
import type { RunSpec } from './spec.js';
import { applyStep, policyName } from './step.js';
import { type ArtifactRef, DivergenceError, readJson, type StageAttempt, stepUri } from './store/index.js';
import { supervised } from './supervision.js';

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
}

export interface WarmupStepsResult {
  policy: PolicyRef;
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
      const { store } = deps;
      const { stage } = input;
      const spec = await readKept<RunSpec>(store, input.spec);
      const items = await readData<TraceItem>(store, input.data);
      let policy = input.policy;
      const records: UpdateRecord[] = [];
      for (let step = input.from; step <= input.to; step++) {
        const entry = input.entry && step === input.from;
        const inputs = stepInputs(spec, items.length, { ...input, policy, entry }, step);
        const name = policyName(inputs);
        const uri = stepUri(stage, step, 'update.json');
        const published = await store.find(uri);
        let record: UpdateRecord;
        if (published) {
          record = await readJson<UpdateRecord>(store, published);
          if (record.result.name !== name) throw new DivergenceError(uri, record.result.name, name, null);
        } else {
          await ensurePolicyLoaded(deps, policy, entry ? 'fresh' : 'as-trained', supervision);
          supervision.note(`warming up, step ${step}`);
          const { sha256, metrics } = await applyStep(deps, inputs, supervision.call);
          record = {
            stage,
            step,
            inputs,
            result: { name, uri, sha256 },
            skipped: null,
            metrics,
            counts: null,
            code: codeVersion(deps.numerics),
          };
          supervision.check();
          await logStep(store, record);
        }
        records.push(record);
        policy = record.result;
      }
      const metrics = records.flatMap(record => record.metrics);
      const { loss, gradNorm, entropy } = metrics.at(-1)!;
      const sum = (field: 'loss' | 'tokens') => metrics.reduce((total, one) => total + one[field], 0);
      return {
        policy,
        metrics: { loss, gradNorm, entropy },
        meanLoss: sum('loss') / metrics.length,
        tokens: sum('tokens'),
      };
    });
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
