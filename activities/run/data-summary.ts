/** What a run's data comes to, in numbers: data/summary.json, and what \`longhaul data inspect\` shows. */
import { type Pool, taskOf } from '../artifacts/index.js';
import { type Lengths, lengthsOf, type Overlap } from '../datasets/index.js';
import type { RunSpec } from '../spec/index.js';
import type { TextModel } from '../text/index.js';
import { bandOf, carriedCount, inBand } from '../training/index.js';
import { isAllowed } from './data-checks.js';
import { evaluationLimit, type RunData, type SourceRecord } from './run-data.js';

export interface PhaseData {
  /** `phase-<k>`. */
  name: string;
  band: Pool['band'];
  /** Samples of its own band, and their lengths. */
  own: number;
  /** Of its own samples, by task, where tasks make a difference to it. */
  tasks?: Record<string, number>;
  tokens: Lengths | null;
  /** Samples of earlier phases that it may carry over, and how many of them it does: at most, as draws there decide. */
  candidates: number;
  carried: number;
  steps: number;
  promptsPerStep: number;
  /** Steps in which the pool is drawn once, and how often the phase's steps draw it (refills not counted). */
  stepsPerEpoch: number;
  epochs: number;
}

export interface RunDataSummary {
  sources: SourceRecord[];
  train: { samples: number; tokens: Lengths | null; beyondLastPhase: number };
  phases: PhaseData[];
  warmup: { samples: number; steps: number; leftOut: number; tokens: Lengths | null } | null;
  sets: { name: string; samples: number; maxInputTokens: number; cut: number; tokens: Lengths | null }[];
  overlaps: (Overlap & { allowed: boolean })[];
}

export function summaryOf(spec: RunSpec, model: Pick<TextModel, 'contextLength'>, data: RunData): RunDataSummary {
  const { train, warmup, sets, sources, overlaps } = data;
  const phases = phasesOf(spec, data);
  const inBands = phases.reduce((sum, { own }) => sum + own, 0);
  const ofWarmup = sources.filter(({ at }) => at.startsWith('warmup.'));
  return {
    sources,
    train: {
      samples: train.length,
      tokens: lengthsOf(train.map(({ promptIds }) => promptIds.length)),
      beyondLastPhase: train.length - inBands,
    },
    phases,
    warmup: spec.warmup &&
      warmup && {
        samples: warmup.length,
        steps: Math.ceil(warmup.length / spec.warmup.batchSize) * spec.warmup.epochs,
        leftOut: ofWarmup.reduce(
          (sum, { withoutTrace = 0, beyondMaxTokens = 0 }) => sum + withoutTrace + beyondMaxTokens,
          0,
        ),
        tokens: lengthsOf(warmup.map(({ promptIds, responseIds }) => promptIds.length + responseIds.length)),
      },
    sets: sets.map(({ name, items }, k) => {
      const { cut, tokens } = sources.find(({ at }) => at === `evaluation.sets[${k}].source`)!;
      return { name, samples: items.length, maxInputTokens: evaluationLimit(spec, model), cut, tokens };
    }),
    overlaps: overlaps.map(overlap => ({ ...overlap, allowed: isAllowed(spec, overlap) })),
  };
}

function phasesOf(spec: RunSpec, { train }: RunData): PhaseData[] {
  const { retrospective } = spec;
  let candidates = 0;
  return spec.phases.map(({ steps, rl }, k) => {
    const own = train.filter(item => inBand(spec, k, item));
    const wanted = retrospective.enabled ? carriedCount(own.length, retrospective.fraction) : 0;
    const carried = retrospective.replacement && candidates > 0 ? wanted : Math.min(wanted, candidates);
    const pool = own.length + carried;
    const phase: PhaseData = {
      name: `phase-${k + 1}`,
      band: bandOf(spec, k),
      own: own.length,
      ...((rl.balanceTasks || rl.advantageScale === 'task') && { tasks: countsOf(own.map(taskOf)) }),
      tokens: lengthsOf(own.map(({ promptIds }) => promptIds.length)),
      candidates,
      carried,
      steps,
      promptsPerStep: rl.promptsPerStep,
      stepsPerEpoch: pool / rl.promptsPerStep,
      epochs: pool === 0 ? 0 : (steps * rl.promptsPerStep) / pool,
    };
    // A sample is known once it was drawn, refills included.
    candidates += Math.min(own.length, steps * rl.promptsPerStep * (1 + rl.maxRefills));
    return phase;
  });
}

function countsOf(tasks: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const task of [...tasks].sort()) counts.set(task, (counts.get(task) ?? 0) + 1);
  return Object.fromEntries(counts);
}
