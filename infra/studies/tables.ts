/** A study's report as tables, whichever way they are printed. */
import type {
  ReportedDifference,
  ReportedHypothesis,
  ReportedScore,
  StudyReport,
} from '../../activities/studies/index.js';
import { duration } from '../view/progress-text.js';

export interface ReportTable {
  title: string;
  /** What the numbers are; empty where the title says it. */
  note: string;
  head: string[];
  rows: string[][];
  /** Said where there are no rows. */
  none: string;
}

export function tablesOf(report: StudyReport): ReportTable[] {
  return [hypotheses(report), scores(report), differences(report), training(report), shared(report)];
}

/** In a sentence: how much of the study there is, and what it cost. */
export function summaryOf({ study, variants, seeds, cells, missing, cost }: StudyReport): string[] {
  const runs = `${count(variants.length, 'variant')}, ${count(seeds.length, 'seed')}, ${cells.length} of ${count(cells.length + missing.length, 'run')}`;
  const share = cost.alone > 0 ? `: ${((100 * cost.spent) / cost.alone).toFixed(0)} %` : '';
  return [
    `${study}: ${runs}.`,
    `It took ${duration(cost.spent)} of work. Its runs, each alone, would have taken ${duration(cost.alone)}${share}.`,
  ];
}

export const missingOf = ({ missing }: StudyReport): string[] =>
  missing.length > 0 ? [`Not in here, since they have not ended: ${missing.join(', ')}.`] : [];

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
const between = (low: number, high: number, text: (value: number) => string): string => `[${text(low)}, ${text(high)}]`;
const plain = (value: number): string => value.toFixed(1);

function hypotheses({ hypotheses }: StudyReport): ReportTable {
  return {
    title: 'Hypotheses',
    note: 'First minus second, in percent points, on the same questions with the same seeds; 95 % intervals over seeds and questions. Shown: above 0; refuted: below 0; open: neither.',
    head: ['claim', 'found', 'difference', 'seeds', 'questions'],
    rows: hypotheses.map((one: ReportedHypothesis) => [
      one.claim,
      one.reason === undefined ? one.verdict : `${one.verdict} (${one.reason})`,
      ...differenceCells(one),
    ]),
    none: 'The study claims nothing.',
  };
}

function differenceCells({ difference, low, high, seeds, items }: ReportedDifference): string[] {
  const found = seeds.length > 0 ? `${signed(difference)} ${between(low, high, signed)}` : '–';
  return [found, String(seeds.length), String(items)];
}

/** A row for each policy of each variant, a column for each set. */
function scores({ scores }: StudyReport): ReportTable {
  const sets = [...new Map(scores.map(one => [one.set, one.meanPromptTokens]))].sort(([, a], [, b]) => a - b);
  const rows = new Map<string, ReportedScore[]>();
  for (const one of scores)
    rows.set(`${one.variant} ${one.at}`, [...(rows.get(`${one.variant} ${one.at}`) ?? []), one]);
  const cell = (row: ReportedScore[], set: string) => {
    const one = row.find(score => score.set === set);
    return one ? `${plain(one.score)} ${between(one.low, one.high, plain)}` : '';
  };
  return {
    title: 'Scores',
    note: 'Per cent of questions answered right, with 95 % intervals over seeds and questions.',
    head: ['variant', 'policy', ...sets.map(([set, tokens]) => `${set} (${Math.round(tokens)} tokens)`)],
    rows: [...rows.values()].map(row => [row[0]!.variant, row[0]!.at, ...sets.map(([set]) => cell(row, set))]),
    none: 'No run evaluates anything.',
  };
}

function differences({ differences, variants }: StudyReport): ReportTable {
  return {
    title: `Differences from ${variants[0]}`,
    note: 'Of the last policies, in percent points, paired as above.',
    head: ['variant', 'set', 'difference', 'seeds', 'questions'],
    rows: differences.map(one => [one.first.variant, one.set, ...differenceCells(one)]),
    none: variants.length > 1 ? 'No run of another variant has ended.' : 'There is one variant alone.',
  };
}

function training({ stages }: StudyReport): ReportTable {
  const number = (value: number | null, digits: number) => (value === null ? '' : value.toFixed(digits));
  return {
    title: 'Training',
    note: 'Means over the steps of each stage and all seeds: reward of all responses, entropy in nats a token, KL from the sampler, gradient norm before clipping.',
    head: ['variant', 'stage', 'steps', 'reward', 'entropy', 'KL', 'gradient norm'],
    rows: stages.map(({ variant, stage, steps, reward, entropy, kl, gradNorm }) => [
      ...[variant, stage, String(steps), number(reward, 3), number(entropy, 3)],
      ...[kl === null ? '' : kl.toExponential(1), number(gradNorm, 3)],
    ]),
    none: 'No run has ended.',
  };
}

function shared({ cost }: StudyReport): ReportTable {
  return {
    title: 'Shared',
    note: 'What several runs came to, made once.',
    head: ['part', 'made by', 'took', 'taken by'],
    rows: cost.shared.map(({ name, of, seconds, takenBy }) => [name, of, duration(seconds), takenBy.join(', ')]),
    none: 'Nothing.',
  };
}
