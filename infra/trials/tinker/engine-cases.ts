/** Our own engine and the service's, on equal weights and requests: what the one makes of them is what the other makes. */
import { join } from 'node:path';
import { readAdapter, readConfig } from '../../../activities/engine/folders/index.js';
import { createEngine } from '../../../activities/engine/process/index.js';
import {
  ALGORITHM_NAMES,
  type Engine,
  type GenerateResult,
  type LoadRequest,
  type LossSettings,
  type OptimizerSettings,
  type ScoredGroup,
  type ServiceNeeds,
  type StepMetrics,
  type TrainingService,
} from '../../../activities/engine/protocol/index.js';
import { randomStream } from '../../../activities/engine/random.js';
import { createTinkerEngine } from '../../../activities/engine/tinker/index.js';
import { rulesOf } from '../../../activities/engine/training/index.js';
import type { Row } from './rows.js';
import type { SkyRl } from './skyrl.js';

const RELATIVE = 1e-3;
const ABSOLUTE = 1e-4;
const LORA = { rank: 8, alpha: 32, targetModules: 'all-linear', rslora: false } as const;
const END = 0;
const MICRO_BATCH = 4096;
const MAX_NEW = 8;
/** Ids of the tiny model that are words. */
const WORDS = 190;
/** Adam without memory and with an epsilon far above any gradient: plain descent, which shows the gradient itself. */
const EPSILON = 1e4;
const descent = (maxGradNorm = 0): OptimizerSettings => ({
  learningRate: EPSILON,
  beta1: 0,
  beta2: 0,
  epsilon: EPSILON,
  weightDecay: 0,
  maxGradNorm,
});
/** An epsilon that is not so small that the signs of gradients near 0 decide. */
const ADAM = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-3, weightDecay: 0.1, maxGradNorm: 0 };

type Step = (engine: Engine, tag: string) => Promise<StepMetrics>;

export async function engineCases(server: SkyRl, say: (line: string) => void): Promise<Row[]> {
  const ours = createEngine({ threads: 1 });
  const theirs = serviceEngine(server, 'cases');
  const cases = new Cases(server, ours, theirs, say);
  try {
    await cases.run();
    return cases.rows;
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
}

/** A new client of the service; one of the same name goes on with what the one before it had there. */
export function serviceEngine({ url, options }: SkyRl, name: string): Engine & TrainingService {
  const stateFolder = join(options.folder, 'clients', name);
  return createTinkerEngine({ url, keyVariable: null, environment: {}, stateFolder });
}

class Cases {
  readonly rows: Row[] = [];
  private readonly base: string;
  private readonly prepared: string;
  private saved = 0;

  constructor(
    private readonly server: SkyRl,
    private readonly ours: Engine,
    private readonly theirs: Engine & TrainingService,
    private readonly say: (line: string) => void,
  ) {
    this.base = server.options.base;
    this.prepared = this.folder('prepared');
  }

  async run(): Promise<void> {
    await this.examined();
    await this.prepare();
    await this.logprobs();
    const drawn = await this.sampled();
    const groups = scored(drawn);
    for (const algorithm of ALGORITHM_NAMES) await this.gradient(algorithm, updating(groups, lossOf({ algorithm })));
    const kl = { coefficient: 0.1 };
    await this.gradient('grpo with a KL term', updating(groups, lossOf({ algorithm: 'grpo', kl })), true);
    const capped = await this.withProximal(groups);
    const importanceCap = 1.02;
    await this.gradient('dapo with an importance cap', updating(capped, lossOf({ algorithm: 'dapo', importanceCap })));
    await this.gradient('supervised step', teaching(groups, descent()));
    await this.gradient('supervised step, clipped to a tenth', teaching(groups, descent(await this.tenth(groups))));
    await this.gradient('two steps of AdamW', async (engine, tag) => {
      await teaching(groups, ADAM)(engine, `${tag}, first`);
      return teaching(groups, ADAM)(engine, tag);
    });
    await this.keptAndLoaded(groups);
  }

  private add(what: string, bar: string, seen: string, holds: boolean): void {
    this.rows.push({ what, bar, seen, holds });
    this.say(`${holds ? '' : 'DOES NOT HOLD  '}${what}: ${seen}`);
  }

  private folder(name: string): string {
    return join(this.server.options.folder, 'saved-by-cases', name);
  }

  /** The service is asked what it lacks, for a run that it can do and for ones that it cannot. */
  private async examined(): Promise<void> {
    const needs: ServiceNeeds = {
      model: this.base,
      adapter: LORA,
      contextLength: 64,
      losses: [lossOf({ algorithm: 'grpo' })],
      optimizers: [ADAM],
      samplings: [SAMPLING],
    };
    const { lacks, found, tolerance } = await this.theirs.examine(needs);
    const promise = `${found}; promises steps within ${tolerance.toExponential(1)}`;
    this.add(
      'a run that it can do',
      'lacks nothing',
      lacks.length === 0 ? promise : problems(lacks),
      lacks.length === 0,
    );
    const wrong: [string, Partial<ServiceNeeds>, keyof ServiceNeeds][] = [
      ['a model that it does not serve', { model: 'another/model' }, 'model'],
      ['a rank above its largest', { adapter: { ...LORA, rank: 512 } }, 'adapter'],
      ['another alpha', { adapter: { ...LORA, alpha: 8 } }, 'adapter'],
      ['all weights trained', { adapter: null }, 'adapter'],
      ['training at temperature 0.7', { losses: [lossOf({ algorithm: 'grpo', temperature: 0.7 })] }, 'losses'],
    ];
    for (const [what, lack, need] of wrong) {
      const report = await this.theirs.examine({ ...needs, ...lack });
      const named = report.lacks.some(one => one.need === need);
      this.add(what, 'refused by name', problems(report.lacks) || 'taken', named);
    }
  }

  /** A policy whose adapter changes something, on both. */
  private async prepare(): Promise<void> {
    const { base, theirs } = this;
    const fresh = { settings: LORA, seed: 1, baseModel: null };
    await theirs.call('load', { directory: base, served: base, adapter: { fresh }, optimizer: null, tag: 'fresh' });
    const examples = sequences(8, 12).map(ids => ({ promptIds: ids.slice(0, 6), responseIds: ids.slice(6) }));
    const optimizer = { ...ADAM, learningRate: 1e-2, weightDecay: 0 };
    await theirs.call('sft', { examples, optimizer, microBatchTokens: MICRO_BATCH, tag: 'prepared' });
    await theirs.call('save', { directory: this.prepared, withOptimizer: true });
    await this.back(this.ours);
  }

  /** The prepared policy, with a fresh optimiser. */
  private async back(engine: Engine): Promise<void> {
    const { base, prepared } = this;
    const request: LoadRequest = {
      directory: base,
      adapter: { directory: prepared },
      optimizer: null,
      tag: 'prepared',
    };
    await engine.call('load', engine === this.theirs ? { ...request, served: base } : request);
  }

  private async logprobs(): Promise<void> {
    const asked = { sequences: [8, 12, 20, 30].flatMap(length => sequences(2, length)) };
    const [ours, theirs] = await Promise.all([this.ours.call('logprobs', asked), this.theirs.call('logprobs', asked)]);
    const [a, b] = [ours, theirs].map(({ logprobs }) => logprobs.flat().map(Number));
    const count = `${a!.length} tokens, from ${Math.min(...a!).toFixed(1)} to ${Math.max(...a!.filter(Boolean)).toFixed(2)}`;
    const apart = largest(a!, b!);
    this.add(`log-probabilities of ${count}`, `${ABSOLUTE} absolute`, apart.toExponential(1), apart <= ABSOLUTE);
  }

  private async sampled(): Promise<GenerateResult & { prompts: number[][] }> {
    const prompts = sequences(2, 8);
    const asked = { prompts: prompts.map((ids, i) => ({ ids, seed: `prompt ${i}` })), group: 4, sampling: SAMPLING };
    const [drawn, again] = [await this.theirs.call('generate', asked), await this.theirs.call('generate', asked)];
    const responses = drawn.groups.map(group => group.responses.map(({ ids }) => ids));
    const same = JSON.stringify(again.groups) === JSON.stringify(drawn.groups);
    this.add('a batch sampled twice with its seeds', 'the same', same ? 'the same, to the bit' : 'another', same);
    const groups = prompts.map((promptIds, i) => ({ promptIds, responses: responses[i]! }));
    const { logprobs } = await this.ours.call('score', { groups, temperature: 1 });
    const apart = largest(
      drawn.groups.flatMap(g => g.responses.flatMap(r => r.logprobs)),
      logprobs.flat(2),
    );
    this.add("the samples' log-probabilities", `${ABSOLUTE} absolute`, apart.toExponential(1), apart <= ABSOLUTE);
    const hot = { ...asked, group: 16, sampling: { ...SAMPLING, temperature: 30, maxNewTokens: 32 } };
    const ends = (await this.theirs.call('generate', hot)).groups.flatMap(group => group.responses);
    const [ended, past] = [
      ends.filter(({ ids }) => ids.at(-1) === END).length,
      ends.filter(({ ids, finish }) => ids.slice(0, -1).includes(END) || (ids.at(-1) === END) !== (finish === 'stop'))
        .length,
    ];
    const seen = `${ended} of ${ends.length} end at it, ${past} go past it`;
    this.add('responses at the end token', 'end there', seen, ended > 0 && past === 0);
    return { ...drawn, prompts };
  }

  private async gradient(what: string, step: Step, reference = false): Promise<void> {
    const [ours, theirs] = [
      await this.stepped(this.ours, step, reference),
      await this.stepped(this.theirs, step, reference),
    ];
    const apart = relative(ours.moved, theirs.moved);
    const names = (['loss', 'gradNorm'] as const).map(name => {
      return `${name} ${Math.abs(theirs.metrics[name] / ours.metrics[name] - 1).toExponential(1)}`;
    });
    this.add(
      `gradient, ${what}`,
      `${RELATIVE} relative`,
      `${apart.toExponential(1)} (${names.join(', ')})`,
      apart <= RELATIVE,
    );
  }

  private async stepped(engine: Engine, step: Step, reference: boolean) {
    await this.back(engine);
    if (reference) await engine.call('reference', { directory: this.base, adapter: null, tag: 'base' });
    const metrics = await step(engine, 'after');
    return { metrics, moved: await this.moved(await this.save(engine)) };
  }

  private async save(engine: Engine): Promise<string> {
    const directory = this.folder(`${++this.saved}`);
    await engine.call('save', { directory, withOptimizer: false });
    return directory;
  }

  /** From the prepared weights to those of the folder. */
  private async moved(directory: string): Promise<Float64Array> {
    const [from, to] = await Promise.all([weightsOf(this.prepared, this.base), weightsOf(directory, this.base)]);
    return Float64Array.from(to, (value, i) => value - from[i]!);
  }

  private async tenth(groups: ScoredGroup[]): Promise<number> {
    await this.back(this.ours);
    return (await teaching(groups, descent())(this.ours, 'measured')).gradNorm / 10;
  }

  private async withProximal(groups: ScoredGroup[]): Promise<ScoredGroup[]> {
    await this.back(this.ours);
    const asked = groups.map(({ promptIds, responses }) => ({ promptIds, responses: responses.map(({ ids }) => ids) }));
    const { logprobs } = await this.ours.call('score', { groups: asked, temperature: 1 });
    return groups.map((group, i) => ({
      ...group,
      responses: group.responses.map((response, j) => ({ ...response, proximal: logprobs[i]![j]! })),
    }));
  }

  /** What is saved, with its optimiser, goes on as it would have. */
  private async keptAndLoaded(groups: ScoredGroup[]): Promise<void> {
    const { theirs, base } = this;
    await this.back(theirs);
    await teaching(groups, ADAM)(theirs, 'first');
    const kept = this.folder('kept');
    await theirs.call('save', { directory: kept, withOptimizer: true });
    await teaching(groups, ADAM)(theirs, 'second');
    const straight = await this.moved(await this.save(theirs));
    await theirs.call('load', { directory: base, served: base, adapter: { directory: kept }, tag: 'first' });
    await teaching(groups, ADAM)(theirs, 'second');
    const apart = relative(straight, await this.moved(await this.save(theirs)));
    this.add('a step after saving and loading', `${RELATIVE} relative`, apart.toExponential(1), apart <= RELATIVE);
    await this.ours.call('load', { directory: base, adapter: { directory: kept }, optimizer: null, tag: 'kept' });
    await theirs.call('load', { directory: base, served: base, adapter: { directory: kept }, tag: 'kept' });
    await this.logprobs();
  }
}

const SAMPLING = { temperature: 1, topP: 1, topK: 0, maxNewTokens: MAX_NEW, stopIds: [END] };

function lossOf({ algorithm, ...more }: Partial<LossSettings> & Pick<LossSettings, 'algorithm'>): LossSettings {
  const { clipLow, clipHigh, options } = rulesOf(algorithm);
  const needed = options.includes('maxResponseTokens') ? { maxResponseTokens: MAX_NEW } : {};
  return { algorithm, clipLow, clipHigh, temperature: 1, tokenMean: 'group', overlong: null, ...needed, ...more };
}

const updating =
  (groups: ScoredGroup[], loss: LossSettings): Step =>
  (engine, tag) =>
    engine.call('update', { groups, loss, optimizer: descent(), microBatchTokens: MICRO_BATCH, tag });

const teaching =
  (groups: ScoredGroup[], optimizer: OptimizerSettings): Step =>
  (engine, tag) => {
    const examples = groups.flatMap(({ promptIds, responses }) =>
      responses.map(({ ids }) => ({ promptIds, responseIds: ids })),
    );
    return engine.call('sft', { examples, optimizer, microBatchTokens: MICRO_BATCH, tag });
  };

/** Rewards that differ within each group, and log-probabilities as of a policy some steps ago, so that ratios are clipped. */
function scored({ groups, prompts }: GenerateResult & { prompts: number[][] }): ScoredGroup[] {
  const random = randomStream('trial', 'rewards');
  return groups.map(({ responses }, i) => ({
    promptIds: prompts[i]!,
    responses: responses.map(({ ids, logprobs }, j) => ({
      ids,
      logprobs: logprobs.map(logprob => logprob + 0.5 * (random.uniform() - 0.5)),
      reward: j % 2 === 0 ? 1 : 0.25 * random.uniform(),
    })),
  }));
}

function sequences(count: number, length: number): number[][] {
  const random = randomStream('trial', 'sequences', count, length);
  return Array.from({ length: count }, () => Array.from({ length }, () => 1 + random.below(WORDS)));
}

async function weightsOf(folder: string, base: string): Promise<Float32Array> {
  const { tensors } = await readAdapter(folder, (await readConfig(base)).config);
  const parts = [...tensors.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { data }]) => data);
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const problems = (lacks: { problem: string }[]): string => lacks.map(({ problem }) => problem).join('; ');

function largest(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** Length of the difference over that of the first. */
function relative(a: Float64Array, b: Float64Array): number {
  const length = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return length(a.map((value, i) => value - b[i]!)) / length(a);
}
