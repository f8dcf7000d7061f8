/** What the log does not say of a step, but its rollouts, scores and their times do. */
import type { RolloutGroup, ScoredRollouts } from '../../activities/artifacts/index.js';
import {
  attemptUri,
  originalOf,
  readLines,
  type StageAttempt,
  type Store,
  stepUri,
} from '../../activities/store/index.js';
import { loggedRecord } from './step.js';

export interface StepReading {
  /** When it was logged, milliseconds since 1970; by the clock of where the store lies. */
  time: number | null;
  /** From the step before to this one, and its parts; null where the store's times do not say, as in a copy. */
  seconds: { whole: number; rollout: number | null; score: number | null; update: number | null } | null;
  /** Of all its responses, refills included; null of a step that samples none. */
  responses: { tokens: number; mean: number; longest: number; truncated: number } | null;
  /** Quartiles of the groups' mean rewards. */
  rewards: { low: number; high: number } | null;
  /** Its files that were damaged and made again. */
  repaired: string[];
}

export async function readStep(store: Store, stage: StageAttempt, step: number): Promise<StepReading> {
  const { rounds } = (await loggedRecord(store, { stage, step })).inputs;
  const lengths: number[] = [];
  const means: number[] = [];
  let truncated = 0;
  for (const { rollouts, scores } of rounds) {
    for (const { responses } of await readLines<RolloutGroup>(store, rollouts)) {
      for (const { ids, finish } of responses) {
        lengths.push(ids.length);
        if (finish === 'length') truncated++;
      }
    }
    for (const { meanReward } of await readLines<ScoredRollouts>(store, scores)) {
      if (meanReward !== null) means.push(meanReward);
    }
  }
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  return {
    ...(await timesOf(store, stage, step, rounds)),
    responses:
      lengths.length === 0
        ? null
        : {
            tokens,
            mean: tokens / lengths.length,
            longest: lengths.reduce((a, b) => Math.max(a, b), 0),
            truncated: truncated / lengths.length,
          },
    rewards: means.length === 0 ? null : quartiles(means),
    repaired: (await store.list(stepFolder(stage, step))).flatMap(file => originalOf(file) ?? []),
  };
}

const stepFolder = (stage: StageAttempt, step: number) => attemptUri(stage, 'steps', String(step));

function quartiles(values: number[]): { low: number; high: number } {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.25), high: at(0.75) };
}

/** A step's files are published in the order in which they are made, each as soon as it is. */
async function timesOf(
  store: Store,
  stage: StageAttempt,
  step: number,
  rounds: readonly { rollouts: { uri: string }; scores: { uri: string } }[],
): Promise<Pick<StepReading, 'time' | 'seconds'>> {
  const timeOf = async (uri: string) => (await store.publishedAt(uri))?.getTime() ?? null;
  const before = step === 1 ? attemptUri(stage, 'claim.json') : stepUri(stage, step - 1, 'update.json');
  const parts = { rollout: 0, score: 0, update: 0 };
  const time = await timeOf(stepUri(stage, step, 'update.json'));
  const begin = await timeOf(before);
  if (time === null || begin === null) return { time, seconds: null };
  let last = begin;
  for (const { rollouts, scores } of rounds) {
    for (const [part, { uri }] of [['rollout', rollouts] as const, ['score', scores] as const]) {
      const now = await timeOf(uri);
      if (now === null || now < last) return { time, seconds: null };
      parts[part] += (now - last) / 1000;
      last = now;
    }
  }
  if (time < last) return { time, seconds: null };
  parts.update = (time - last) / 1000;
  const whole = (time - begin) / 1000;
  const none = { rollout: null, score: null, update: null };
  return { time, seconds: { whole, ...(rounds.length === 0 ? none : parts) } };
}
