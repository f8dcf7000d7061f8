/**
 * What a service means, found out on a model of its own before anything is spent on it: how it makes one gradient of many
 * tokens' (reduction.ts), whether its numbers are those that they are called, and what else the protocol leaves open. Twelve
 * short passes and a few tokens sampled, on shapes that are used again, since some services compile each anew.
 */
import { EngineRequestError } from '../protocol/index.js';
import { accountOf } from './adapter.js';
import { distance } from './held-model.js';
import type { Meaning } from './meaning.js';
import { type Models, type NewModel, NO_STEP } from './models.js';
import { factors, fittingReduction, type Measurement } from './reduction.js';
import type { AdamParams, RemoteModel } from './remote-model.js';
import { askSamples } from './samples.js';
import type { Service } from './wire/service.js';

/** Ids that every vocabulary has. `long` is `counted` with more behind it, whose coefficients are 0. */
export const COUNTED = [5, 17, 33, 3, 42, 7, 11];
const LONG = [...COUNTED, 29, 13, 2, 37, 19, 8, 41, 23, 31, 6, 14, 27];
const BESIDE = [9, 4, 21, 12, 50, 16];
const SEQUENCES = { counted: COUNTED, long: LONG, beside: BESIDE } as const;
type Name = keyof typeof SEQUENCES;

/** What tells the reductions apart; the first is the unit. */
const PASSES: readonly (readonly Name[])[][] = [
  [['counted', 'beside']],
  [['counted', 'counted']],
  [['long', 'beside']],
  [['counted']],
  [
    ['counted', 'beside'],
    ['counted', 'beside'],
  ],
];

/** Adam without memory and with a large epsilon is plain descent: it steps by `LARGE_EPSILON * rate * g / LARGE_EPSILON`. */
const LARGE_EPSILON = 1e4;
const descent = (rate: number): AdamParams => ({
  learning_rate: rate * LARGE_EPSILON,
  beta1: 0,
  beta2: 0,
  eps: LARGE_EPSILON,
  weight_decay: 0,
});
/** Nats by which a step of the trial raises the counted sequence: above the noise of 16 bits, and nearly linear. */
const RISE = 0.1;
/** What a slope measured over such a step may be off by. */
const SLOPE_ERROR = 0.4;
const NORM = /grad.*(norm|l2)/i;
/** To this part of its length a gradient is to be clipped. */
const CLIPPED = 4;
/** Tokens of a sample, and a temperature whose log-probabilities are not those at 1. */
export const SAMPLED = 4;
const TEMPERATURE = 2;
/** Nats: log-probabilities at another temperature are further away than this. */
export const SAME_LOGPROB = 0.02;
const LARGEST_PROMISE = 10;
const LEAST_TOLERANCE = 1e-5;
export const SAME = 0.1;

export interface TrialContext {
  service: Service;
  models: Models;
  /** For what is unpacked. */
  folder: string;
  signal: AbortSignal | undefined;
}

/** @throws EngineRequestError (`unsupported`) saying what the service does otherwise than a trainer can work with */
export async function tryService(context: TrialContext, base: Omit<NewModel, 'seed'>): Promise<Meaning> {
  const model = { ...base, seed: 1 };
  const { models, signal } = context;
  const used = await models.create(model, signal);
  let found: Omit<Meaning, 'leavesGradients'>;
  try {
    const trial = new Trial(context, used, base.served);
    found = await trial.run();
    // Left on purpose, to see whether the next model gets it.
    await trial.gradient(PASSES[1]!);
  } finally {
    await models.unload(used.id);
  }
  const left = await models.borrow(model, signal, async next => (await next.optimStep(NO_STEP))[found.normMetric] ?? 0);
  return { ...found, leavesGradients: left > 1e-12 };
}

export const only = ([first]: Float32Array[]): Float32Array => first!;

class Trial {
  private logprobs!: Record<Name, Float32Array>;

  constructor(
    private readonly context: TrialContext,
    private readonly model: RemoteModel,
    private readonly served: string,
  ) {}

  async run(): Promise<Omit<Meaning, 'leavesGradients'>> {
    const { model } = this;
    // Takes up what an earlier model may have left here.
    await model.optimStep(NO_STEP);
    const [counted, long] = await model.forward([COUNTED, LONG]);
    const [again, beside] = await model.forward([COUNTED, BESIDE]);
    this.logprobs = { counted: counted!, long: long!, beside: beside! };
    const alone = only(await model.forward([COUNTED]));
    const spread = Math.max(distance(counted!, again!), distance(counted!, alone));

    const normMetric = await this.normMetric();
    const norms = [];
    for (const calls of [...PASSES, PASSES[0]!]) norms.push(await this.norm(calls, normMetric));
    const reduction = this.reduction(norms);
    const apart = Math.abs(norms.at(-1)! / norms[0]! - 1);

    const unit = factors(reduction, lengthsOf(PASSES[0]!))[0]![0]!;
    const clips = await this.clips(norms[0]! * unit, unit);
    return {
      reduction,
      normMetric,
      clips,
      ...(await this.sampled()),
      spread,
      tolerance: Math.max(LEAST_TOLERANCE, LARGEST_PROMISE * Math.max(apart, spread)),
    };
  }

  /** The metric that doubles with the coefficients. */
  private async normMetric(): Promise<string> {
    const metrics = [];
    for (const coefficient of [1, 2]) {
      await this.gradient(PASSES[0]!, coefficient);
      metrics.push(await this.model.optimStep(NO_STEP));
    }
    const [one, two] = metrics as [Record<string, number>, Record<string, number>];
    const name = Object.keys(one).find(
      key => NORM.test(key) && one[key]! > 0 && Math.abs(two[key]! / one[key]! - 2) < SAME,
    );
    return (
      name ??
      this.refuse(
        `reports no gradient norm with a step (its metrics: ${Object.keys(one).join(', ') || 'none'}), which the books of a run need`,
      )
    );
  }

  /** The counted sequences' tokens have this coefficient, all others none. */
  gradient(calls: readonly (readonly Name[])[], coefficient = 1): Promise<void> {
    const data = (name: Name) => ({
      tokens: SEQUENCES[name],
      inputs: {
        logprobs: this.logprobs[name],
        advantages: SEQUENCES[name]
          .slice(1)
          .map((_, t) => (name !== 'beside' && t < COUNTED.length - 1 ? coefficient : 0)),
      },
    });
    return this.model.gradient(calls.map(names => names.map(data)));
  }

  private async norm(calls: readonly (readonly Name[])[], metric: string): Promise<number> {
    await this.gradient(calls);
    return (await this.model.optimStep(NO_STEP))[metric]!;
  }

  private refuse(what: string): never {
    throw new EngineRequestError(`${this.context.service.name} ${what}`, 'unsupported');
  }

  private reduction(norms: readonly number[]) {
    const measured = PASSES.map(
      (calls, k): Measurement => ({
        calls: lengthsOf(calls),
        counted: calls.map(names => names.map(name => name !== 'beside')),
        norm: norms[k]!,
      }),
    );
    const found = fittingReduction(measured);
    return (
      found ??
      this.refuse(
        `makes gradients in a way that is not known: of ${PASSES.map(calls => calls.map(names => names.join(' and ')).join(', then ')).join('; ')} their norms are ${norms
          .slice(0, PASSES.length)
          .map(n => n.toPrecision(5))
          .join(', ')}`,
      )
    );
  }

  /**
   * Takes two small steps of plain descent: that the rise of the counted sequence is the one that norm and rate foretell shows
   * that the gradient is the log-probabilities' own, and the settings of the optimiser those that were sent.
   * @param norm of the gradient with the reduction undone
   */
  private async clips(norm: number, unit: number): Promise<boolean> {
    const { model } = this;
    const rate = RISE / norm ** 2;
    const total = async () => only(await model.forward([COUNTED])).reduce((a, b) => a + b, 0);
    const start = await total();
    await this.gradient(PASSES[0]!, unit);
    await model.optimStep(descent(rate));
    const rise = (await total()) - start;
    if (!(Math.abs(rise / RISE - 1) < SLOPE_ERROR))
      this.refuse(
        `takes steps otherwise than its settings say: plain descent should raise a sequence's log-probability by ${RISE} nats and raised it by ${rise.toPrecision(3)}. Does it take rate, betas and epsilon of each step from optim_step?`,
      );
    await this.gradient(PASSES[0]!, unit);
    try {
      await model.optimStep({ ...descent(rate), grad_clip_norm: norm / CLIPPED });
    } catch (error) {
      // Refused: it knows no such setting, and the gradient is still there.
      if (!(error instanceof EngineRequestError)) throw error;
      await model.optimStep(NO_STEP);
      return false;
    }
    return (await total()) - start - rise < (RISE / CLIPPED) * 2;
  }

  private async sampled(): Promise<Pick<Meaning, 'sampledAt' | 'alpha' | 'modules'>> {
    const { context, model } = this;
    const address = await model.save('save_weights_for_sampler');
    const sample = async (temperature: number, stop: number[] = []) => {
      const call = {
        prompt: COUNTED,
        count: 1,
        topP: 1,
        topK: 0,
        maxTokens: SAMPLED,
        seed: 3,
        address,
        temperature,
        stop,
      };
      return (await askSamples(context.service, call, context.signal))[0]!;
    };
    const { tokens, logprobs } = await sample(TEMPERATURE);
    const scored = only(await model.forward([[...COUNTED, ...tokens]])).slice(COUNTED.length - 1);
    const sampledAt = distance(scored, logprobs) < SAME_LOGPROB ? 'one' : 'temperature';

    const greedy = (await sample(0)).tokens;
    const end = greedy[1]!;
    const ended = (await sample(0, [end])).tokens;
    if (ended.at(-1) !== end || ended.length > 2)
      this.refuse(
        `does not end a response with the token that it is told to stop at: sampled ${greedy.join(' ')}, and told to stop at ${end}, ${ended.join(' ')}`,
      );

    const what = `the adapter of ${this.served} that ${context.service.name} gave`;
    const account = await accountOf(await context.models.archive(address, context.signal), {
      folder: context.folder,
      what,
    });
    await context.models.forget(address, 'sampler_weights');
    return { sampledAt, alpha: account.alpha, modules: account.modules };
  }
}

const lengthsOf = (calls: readonly (readonly Name[])[]): number[][] =>
  calls.map(names => names.map(name => SEQUENCES[name].length - 1));
