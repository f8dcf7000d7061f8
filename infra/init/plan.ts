/** A spec for a model and its data, by their sizes: what `longhaul init` proposes, and why. */
import { DataError } from '../../activities/datasets/index.js';
import { type Found, roomForResponse } from './look.js';

export interface PlannedPhase {
  maxTokens: number;
  steps: number;
  /** Samples of its own. */
  samples: number;
}

export interface Plan {
  lora: boolean;
  maxNewTokens: number;
  promptsPerStep: number;
  rlRate: number;
  phases: PlannedPhase[];
  /** Samples that are longer than the last phase allows. */
  beyond: number;
  warmup: { maxTokens: number; samples: number; epochs: number; batchSize: number; rate: number } | null;
  /** By set: what it shares with what is trained on. */
  overlaps: { kinds: ('questions' | 'documents')[]; samples: number }[];
}

/** From here on all weights with their optimiser's moments, 16 bytes each, are more than a laptop spares. */
const LORA_FROM = 500e6;
/** Models below it take a larger step than the paper's of 14 and 32 billion. */
const SMALL = 1e9;
/** A phase goes through its own samples about so often, within bounds that an evening bears. */
const EPOCHS = 2;
const [FEWEST_STEPS, MOST_STEPS] = [4, 40];

/** @throws DataError where no sample fits the model's context */
export function planFor({ model, sources, data }: Found): Plan {
  const maxNewTokens = responseLength(model.contextLength, data.warmup?.map(item => item.responseIds.length) ?? []);
  const room = model.contextLength - maxNewTokens;
  const lengths = data.train.map(item => item.promptIds.length).sort((a, b) => a - b);
  const usable = lengths.filter(length => length <= room);
  if (usable.length === 0) {
    throw new DataError(
      `${sources.map(({ path }) => path).join(', ')}: expected prompts of at most ${room} tokens, the model's context of ` +
        `${model.contextLength} less ${maxNewTokens} for the response; all ${lengths.length} are longer, the shortest has ` +
        `${lengths[0]}. Take a model of more context, or shorter documents.`,
    );
  }
  const limits = phaseLimits(usable, room);
  const own = limits.map(
    (limit, k) => usable.filter(length => length > (limits[k - 1] ?? 0) && length <= limit).length,
  );
  const promptsPerStep = Math.max(2, Math.min(model.parameters >= SMALL ? 8 : 16, ...own));
  const lora = model.parameters >= LORA_FROM;
  return {
    lora,
    maxNewTokens,
    promptsPerStep,
    rlRate: lora ? 2e-5 : 1e-5,
    phases: limits.map((maxTokens, k) => ({
      maxTokens,
      steps: Math.min(MOST_STEPS, Math.max(FEWEST_STEPS, Math.ceil((EPOCHS * own[k]!) / promptsPerStep))),
      samples: own[k]!,
    })),
    beyond: lengths.length - usable.length,
    warmup: warmupFor(model.contextLength, limits[0]!, data.warmup ?? [], lora),
    overlaps: data.sets.map((_, k) => {
      const found = data.overlaps.filter(({ set }) => set === k);
      return { kinds: [...new Set(found.map(({ kind }) => kind))], samples: Math.max(0, ...found.map(o => o.samples)) };
    }),
  };
}

/** As long as all but the longest traces and half as much again; without any, what fits the context. */
function responseLength(contextLength: number, traces: number[]): number {
  const most = roomForResponse(contextLength);
  if (traces.length === 0) return most;
  return Math.min(
    most,
    roundedUp(
      1.5 *
        quantile(
          traces.sort((a, b) => a - b),
          0.95,
        ),
    ),
  );
}

/** Bands of about as many samples each: three where lengths differ by four times, two by one and a half, else one. */
function phaseLimits(usable: number[], room: number): number[] {
  const spread = usable.at(-1)! / usable[0]!;
  const wanted = spread >= 4 && usable.length >= 12 ? 3 : spread >= 1.5 && usable.length >= 8 ? 2 : 1;
  const limits = Array.from({ length: wanted }, (_, k) =>
    Math.min(room, roundedUp(quantile(usable, (k + 1) / wanted))),
  );
  return [...new Set(limits)].filter((limit, k, all) =>
    usable.some(length => length > (all[k - 1] ?? 0) && length <= limit),
  );
}

/** The paper's warm-up: traces whose input fits the first phase's context, three times. */
function warmupFor(
  contextLength: number,
  first: number,
  traces: NonNullable<Found['data']['warmup']>,
  lora: boolean,
): Plan['warmup'] {
  // What is learned must fit the context whole: shorter than the first prompt whose trace does not.
  const unfit = traces.filter(({ promptIds, responseIds }) => promptIds.length + responseIds.length > contextLength);
  const maxTokens = unfit.reduce((least, { promptIds }) => Math.min(least, promptIds.length - 1), first);
  const samples = traces.filter(({ promptIds }) => promptIds.length <= maxTokens).length;
  if (samples === 0) return null;
  return { maxTokens, samples, epochs: 3, batchSize: Math.min(8, samples), rate: lora ? 5e-5 : 2e-5 };
}

/** Of sorted lengths: the least that so large a share does not exceed. */
const quantile = (sorted: number[], share: number): number => sorted[Math.ceil(share * sorted.length) - 1]!;

/** To 16, from 1024 on to 64: numbers that a person would write. */
function roundedUp(length: number): number {
  const unit = length > 1024 ? 64 : 16;
  return Math.ceil(length / unit) * unit;
}
