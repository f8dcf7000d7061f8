/** How a study's variants learned: what the papers look at, step by step and by stage, over all seeds. */
import { overUpdates } from '../artifacts/index.js';
import { mean } from '../benchmarks/index.js';
import type { StepLine } from '../training/index.js';
import type { ReadCell } from './cells.js';

/** Of a step of reinforcement learning; null of one that was skipped, or where it was not measured. */
const READINGS = {
  reward: ({ counts }: StepLine) => counts?.meanReward ?? null,
  entropy: ({ metrics }: StepLine) => overUpdates(metrics, 'entropy'),
  kl: ({ metrics }: StepLine) => overUpdates(metrics, 'kl'),
  gradNorm: ({ metrics }: StepLine) => overUpdates(metrics, 'gradNorm'),
} as const;

export type Reading = keyof typeof READINGS;
export const READING_NAMES = Object.keys(READINGS) as Reading[];

/** A variant's steps of reinforcement learning in a row, whatever the phase. */
export interface ReportedCurve {
  variant: string;
  /** Where each phase begins: its first step's place, from 1. */
  phases: { name: string; from: number }[];
  /** By place: the mean over the seeds that have it, and the least and most of them; null where none has. */
  reward: { mean: (number | null)[]; least: (number | null)[]; most: (number | null)[] };
}

/** Means over all steps of a stage and all seeds. */
export type ReportedStage = { variant: string; stage: string; steps: number } & Record<Reading, number | null>;

export function curvesOf(cells: readonly ReadCell[], variants: readonly string[]): ReportedCurve[] {
  return variants.flatMap(variant => {
    const phases = cells.filter(({ cell }) => cell.variant === variant).map(phasesOf);
    if (phases.length === 0) return [];
    const lines = phases.map(of => of.flatMap(({ lines }) => lines.map(READINGS.reward)));
    const places = Math.max(...lines.map(({ length }) => length));
    const at = (how: (values: number[]) => number) =>
      Array.from({ length: places }, (_, k) =>
        over(
          lines.map(line => line[k] ?? null),
          how,
        ),
      );
    let from = 1;
    const begins = phases[0]!.map(({ stage, lines }) => {
      const begin = { name: stage, from };
      from += lines.length;
      return begin;
    });
    const reward = {
      mean: at(mean),
      least: at(values => Math.min(...values)),
      most: at(values => Math.max(...values)),
    };
    return [{ variant, phases: begins, reward }];
  });
}

export function stagesOf(cells: readonly ReadCell[], variants: readonly string[]): ReportedStage[] {
  return variants.flatMap(variant => {
    const own = cells.filter(({ cell }) => cell.variant === variant).flatMap(({ steps }) => steps);
    const names = [...new Set(own.map(({ stage }) => stage))];
    return names.map(stage => {
      const lines = own.filter(one => one.stage === stage).flatMap(one => one.lines);
      const reading = (name: Reading) => over(lines.map(READINGS[name]), mean);
      const readings = Object.fromEntries(READING_NAMES.map(name => [name, reading(name)]));
      return { variant, stage, steps: lines.length, ...(readings as Record<Reading, number | null>) };
    });
  });
}

const phasesOf = ({ steps }: ReadCell) => steps.filter(({ stage }) => stage !== 'warmup');

function over(values: (number | null)[], how: (values: number[]) => number): number | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : how(known);
}
