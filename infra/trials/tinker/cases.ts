/**
 * What an engine must give that computes elsewhere, held against our own on the same model and rollouts: one table, gone
 * through by the stand-in of the tests and by real services. Each case measures how far the two are apart, and has a bar.
 */
import { join } from 'node:path';
import {
  ALGORITHM_NAMES,
  type Algorithm,
  type Engine,
  type LoraSettings,
  type LossSettings,
  type OptimizerSettings,
  type ScoredGroup,
  type SftExample,
} from '../../../activities/engine/protocol/index.js';
import { randomStream } from '../../../activities/engine/random.js';
import { ALGORITHMS } from '../../../activities/engine/training/index.js';
import { apart, flat, largest, weights } from './case-weights.js';

export interface CaseSetting {
  engine: Engine;
  /** Our own, on the same base. */
  own: Engine;
  /** The base's folder, weights included, and what the service calls it. */
  directory: string;
  served: string;
  lora: LoraSettings;
  vocabularySize: number;
  /** An empty folder for what cases save. */
  folder: string;
}

export interface EngineCase {
  name: string;
  /** What is measured may be this at most. */
  bar: number;
  /** In words: nats, or relative to what. */
  unit: string;
  measure(setting: PreparedSetting): Promise<number>;
}

/** With an adapter that both engines have. */
export interface PreparedSetting extends CaseSetting {
  adapter: string;
}

/** Lengths are the same throughout: some services compile each anew. */
const PROMPT = 7;
const RESPONSE = 9;
const NATS = 1e-4;
const RELATIVE = 1e-3;
const MICRO_BATCH = { microBatchTokens: 4096 };

/** Adam without memory and with a large epsilon is plain descent: weights move by the gradient, so that it can be read off. */
const DESCENT: OptimizerSettings = {
  learningRate: 1e4,
  beta1: 0,
  beta2: 0,
  epsilon: 1e4,
  weightDecay: 0,
  maxGradNorm: 0,
};
const ADAM: OptimizerSettings = {
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 0,
};

/** Trains an adapter for some steps and gives it to both engines: the cases begin from weights that are not zero. */
export async function prepared(setting: CaseSetting): Promise<PreparedSetting> {
  const { engine, directory, served, lora, folder } = setting;
  const adapter = join(folder, 'adapter');
  const fresh = { settings: lora, seed: 5, baseModel: served };
  await engine.call('load', { directory, served, adapter: { fresh }, tag: 'fresh' });
  for (const k of [0, 1])
    await engine.call('sft', { examples: examples(setting, k), optimizer: ADAM, ...MICRO_BATCH, tag: `prepared ${k}` });
  await engine.call('save', { directory: adapter, withOptimizer: true });
  return { ...setting, adapter };
}

const KL = { kl: { coefficient: 0.3 } };
const CAP = { importanceCap: 1.1 };

/** Narrower than the papers', so that some tokens of the rollouts are clipped. */
const RANGES: Partial<Record<Algorithm, Partial<LossSettings>>> = {
  gspo: { clipLow: 0.03, clipHigh: 0.04 },
  cispo: { clipHigh: 0.1 },
};

export const ENGINE_CASES: readonly EngineCase[] = [
  {
    name: 'log-probabilities of sequences',
    bar: NATS,
    unit: 'nats, largest',
    measure: async setting => {
      await bothLoad(setting);
      const sequences = groups(setting).flatMap(({ promptIds, responses }) =>
        responses.map(({ ids }) => [...promptIds, ...ids]),
      );
      const [theirs, ours] = await both(setting, engine => engine.call('logprobs', { sequences }));
      return largest(flat(theirs.logprobs), flat(ours.logprobs));
    },
  },
  { name: 'gradient of the likelihood', bar: RELATIVE, unit: 'relative', measure: setting => stepApart(setting, null) },
  ...ALGORITHM_NAMES.map(algorithm => gradientCase(algorithm, {})),
  ...ALGORITHM_NAMES.map(algorithm => gradientCase(algorithm, KL)),
  gradientCase('grpo', CAP),
  gradientCase('gspo', { ...CAP, ...KL }),
  {
    name: 'gradient of grpo, clipped to a tenth of its length',
    bar: RELATIVE,
    unit: 'relative',
    measure: async setting => {
      await bothLoad(setting);
      const loss = lossOf('grpo', {});
      const { gradNorm } = await updated(setting.own, setting, loss, DESCENT);
      return stepApart(setting, loss, { ...DESCENT, maxGradNorm: gradNorm / 10 });
    },
  },
  {
    name: 'three steps of Adam',
    bar: RELATIVE,
    unit: 'relative',
    measure: async setting => {
      await bothLoad(setting);
      const before = await weights(setting.own, setting);
      for (let k = 0; k < 3; k++)
        await both(setting, engine =>
          engine.call('sft', { examples: examples(setting, k), optimizer: ADAM, ...MICRO_BATCH, tag: `adam ${k}` }),
        );
      return moved(setting, before);
    },
  },
  {
    name: 'metrics of an update',
    bar: RELATIVE,
    unit: 'largest, relative or of 1',
    measure: async setting => {
      const loss = lossOf('gspo', KL);
      await bothLoad(setting, loss);
      const [theirs, ours] = await both(setting, engine => updated(engine, setting, loss, DESCENT));
      const names = [
        'loss',
        'gradNorm',
        'kl',
        'referenceKl',
        'clipFraction',
        'logprobDifferenceMax',
        'logprobDifferenceMean',
        'reward',
        'effectiveGroups',
        'tokens',
      ] as const;
      return Math.max(...names.map(name => Math.abs(theirs[name]! - ours[name]!) / Math.max(1, Math.abs(ours[name]!))));
    },
  },
  {
    name: 'log-probabilities of what was sampled',
    bar: NATS,
    unit: 'nats, largest',
    measure: async setting => {
      await bothLoad(setting);
      const { prompts, responses } = await sampled(setting.engine, setting);
      const scores = await setting.own.call('score', {
        temperature: 1,
        groups: prompts.map((promptIds, i) => ({ promptIds, responses: responses[i]!.map(r => r.ids) })),
      });
      return largest(
        responses.flat().flatMap(r => r.logprobs),
        scores.logprobs.flat(2),
      );
    },
  },
  {
    name: 'equal requests: responses that differ',
    bar: 0,
    unit: 'responses',
    measure: async setting => {
      await bothLoad(setting);
      const [first, second] = [await sampled(setting.engine, setting), await sampled(setting.engine, setting)];
      return first.responses.flat().filter((r, i) => r.ids.join() !== second.responses.flat()[i]!.ids.join()).length;
    },
  },
  {
    name: 'responses that go on behind an end token, or have none and are short',
    bar: 0,
    unit: 'responses',
    measure: async setting => {
      await bothLoad(setting);
      const before = (await sampled(setting.engine, setting)).responses.flat();
      const stopIds = [before[0]!.ids[2]!, before[1]!.ids[1]!];
      const { responses } = await sampled(setting.engine, setting, stopIds);
      const ends = (ids: readonly number[]) => ids.findIndex(id => stopIds.includes(id));
      return responses.flat().filter(({ ids, finish }) => {
        const end = ends(ids);
        return finish === 'stop' ? end !== ids.length - 1 : end >= 0 || ids.length !== RESPONSE;
      }).length;
    },
  },
  {
    name: 'saved and loaded, one more step with the optimiser',
    bar: RELATIVE,
    unit: 'relative',
    measure: async setting => {
      const { engine, directory, served, folder } = setting;
      await bothLoad(setting, null, { optimizer: setting.adapter });
      const step = { examples: examples(setting, 4), optimizer: ADAM, ...MICRO_BATCH };
      await engine.call('sft', { ...step, tag: 'first' });
      const saved = join(folder, `saved-${Date.now()}`);
      await engine.call('save', { directory: saved, withOptimizer: true });
      const before = await weights(engine, setting);
      await engine.call('sft', { ...step, tag: 'straight on' });
      const straight = await weights(engine, setting);
      await engine.call('load', { directory, served, adapter: { directory: saved }, optimizer: saved, tag: 'loaded' });
      await engine.call('sft', { ...step, tag: 'after loading' });
      return apart(before, await weights(engine, setting), straight);
    },
  },
  {
    name: 'the whole model, adapter laid in',
    bar: NATS,
    unit: 'nats, largest',
    measure: async setting => {
      await bothLoad(setting);
      const merged = join(setting.folder, `merged-${Date.now()}`);
      await setting.engine.call('save', { directory: merged, withOptimizer: false, merged: true });
      const sequences = examples(setting, 5).map(e => [...e.promptIds, ...e.responseIds]);
      const ours = await setting.own.call('logprobs', { sequences });
      await setting.own.call('load', { directory: merged, tag: 'merged' });
      return largest(flat((await setting.own.call('logprobs', { sequences })).logprobs), flat(ours.logprobs));
    },
  },
];

function gradientCase(algorithm: Algorithm, over: Partial<LossSettings>): EngineCase {
  const beside = [...(over.kl ? ['a KL term'] : []), ...(over.importanceCap ? ['an importance cap'] : [])].join(
    ' and ',
  );
  return {
    name: `gradient of ${algorithm}${beside && ` with ${beside}`}`,
    bar: RELATIVE,
    unit: 'relative',
    measure: setting => stepApart(setting, lossOf(algorithm, over)),
  };
}

function lossOf(algorithm: Algorithm, over: Partial<LossSettings>): LossSettings {
  const { clipLow, clipHigh } = ALGORITHMS[algorithm];
  const settings = { algorithm, clipLow, clipHigh, temperature: 1, overlong: null, tokenMean: 'group' as const };
  return {
    ...settings,
    ...(algorithm === 'dr-grpo' && { maxResponseTokens: RESPONSE }),
    ...RANGES[algorithm],
    ...over,
  };
}

/** How far apart one step takes the two from where both begin. @param loss null: of likelihood */
async function stepApart(setting: PreparedSetting, loss: LossSettings | null, optimizer = DESCENT): Promise<number> {
  await bothLoad(setting, loss);
  const before = await weights(setting.own, setting);
  await both(setting, engine =>
    loss
      ? updated(engine, setting, loss, optimizer)
      : engine.call('sft', { examples: examples(setting, 3), optimizer, ...MICRO_BATCH, tag: 'stepped' }),
  );
  return moved(setting, before);
}

async function bothLoad(
  setting: PreparedSetting,
  loss: LossSettings | null = null,
  { optimizer = null as string | null } = {},
): Promise<void> {
  const { directory, served, adapter } = setting;
  // Our own has the weights from the folder; moments are the service's.
  await setting.engine.call('load', { directory, served, adapter: { directory: adapter }, optimizer, tag: 'prepared' });
  await setting.own.call('load', { directory, adapter: { directory: adapter }, optimizer: null, tag: 'prepared' });
  if (!loss?.kl) return;
  await both(setting, engine => engine.call('reference', { directory, tag: 'base' }));
}

async function both<T>({ engine, own }: CaseSetting, ask: (engine: Engine) => Promise<T>): Promise<[T, T]> {
  return [await ask(engine), await ask(own)];
}

const updated = async (engine: Engine, setting: CaseSetting, loss: LossSettings, optimizer: OptimizerSettings) =>
  engine.call('update', {
    groups: groups(setting, Boolean(loss.importanceCap)),
    loss,
    optimizer,
    ...MICRO_BATCH,
    tag: 'updated',
  });

async function sampled(engine: Engine, setting: CaseSetting, stopIds: number[] = []) {
  const prompts = [0, 1, 2].map(k => ids(setting, `prompt ${k}`, PROMPT));
  const { groups } = await engine.call('generate', {
    prompts: prompts.map((promptIds, k) => ({ ids: promptIds, seed: `sample/${k}` })),
    group: 2,
    sampling: { temperature: 1, topP: 1, topK: 0, maxNewTokens: RESPONSE, stopIds },
  });
  return { prompts, responses: groups.map(group => group.responses) };
}

/** Seeded ids, of the part that every vocabulary has. */
function ids({ vocabularySize }: CaseSetting, name: string, length: number): number[] {
  const random = randomStream('tinker cases', name);
  return Array.from({ length }, () => 2 + random.below(vocabularySize - 2));
}

function examples(setting: CaseSetting, k: number): SftExample[] {
  return [0, 1, 2].map(i => ({
    promptIds: ids(setting, `p${k}.${i}`, PROMPT),
    responseIds: ids(setting, `r${k}.${i}`, RESPONSE),
  }));
}

/** Log-probabilities of the sampler are about those of a small untrained model, so that ratios lie around 1, some outside of every range. */
function groups(setting: CaseSetting, withProximal = false): ScoredGroup[] {
  return [0, 1].map(i => ({
    promptIds: ids(setting, `prompt ${i}`, PROMPT),
    responses: [0, 1, 2].map(j => {
      const random = randomStream('tinker cases', 'rollout', i, j);
      const response = ids(setting, `response ${i}.${j}`, RESPONSE);
      const logprobs = response.map(() => -Math.log(setting.vocabularySize) + 0.6 * (random.uniform() - 0.5));
      const proximal = logprobs.map(logprob => logprob + 0.4 * (random.uniform() - 0.5));
      return { ids: response, logprobs, reward: (i + j) % 2, ...(withProximal && { proximal }) };
    }),
  }));
}

async function moved(setting: CaseSetting, before: Float32Array): Promise<number> {
  return apart(before, await weights(setting.engine, setting), await weights(setting.own, setting));
}
