/** A small run on a stand-in whose sampler and trainer are apart, where each step's rollouts are sampled beside the update before. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Round, UpdateRecord } from '../../activities/artifacts/index';
import { promptsToDraw } from '../../activities/contract/index';
import { phaseNumber } from '../../activities/store/index';
import type { StepInput } from '../../activities/training/index';
import type { Activities, Attempt, StepDriver } from './drive';
import { SERVED_RL, type ServedRun, servedRun } from './served-run';
import { type Behaviour, HOSTED, type TinkerServer } from './tinker-server';

export const APART: Behaviour = { ...HOSTED, key: null };

export const CAP = 1.05;

/** Steps that go far, so that one step makes a difference; groups that often teach nothing, so that there are refills. */
export const OVERLAPPED = {
  // Its path is in what is logged of a reward.
  reward: { custom: { module: join(__dirname, '../fixtures/rewards/by-length.cjs') } },
  rl: {
    ...SERVED_RL,
    ...{ algorithm: 'dapo', groupSize: 2, maxRefills: 1 },
    ...{ overlap: true, importanceCap: CAP },
    optimizer: { learningRate: 1e-2 },
  },
  phases: [
    { maxTokens: 40, steps: 4 },
    { maxTokens: 200, steps: 2 },
  ],
};

export const overlappedRun = (server: TinkerServer, changes: object = {}): Promise<ServedRun> =>
  servedRun(server, { ...OVERLAPPED, ...changes });

/** What the steps of all phases hold, by path, but for what a worker calls the service that it knows. */
export async function booksOf({ store }: ServedRun): Promise<Record<string, string>> {
  const folder = join(store.root, 'runs', 'run');
  const files = (await readdir(folder, { recursive: true })).filter(file =>
    /phase-.*\/steps\/\d+\/\w[^/]*$/.test(file),
  );
  const entries = files.map(async file => {
    const text = await readFile(join(folder, file), 'utf8');
    return [file, file.endsWith('.json') ? withoutCode(JSON.parse(text)) : text] as const;
  });
  return Object.fromEntries((await Promise.all(entries)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const withoutCode = ({ code: _, ...record }: UpdateRecord): string => JSON.stringify(record);

const { promptsPerStep, maxRefills, signal } = OVERLAPPED.rl;
const isLast = ({ stage, step }: StepInput): boolean => step === OVERLAPPED.phases[phaseNumber(stage.stage) - 1]!.steps;

/**
 * The same order of policies with one thing at a time, and with nothing of what makes them overlap: each step's first round is
 * sampled by the engine as ever, before the update of the step before is begun.
 */
export function oneAfterTheOther(): StepDriver {
  let first: Round['rollouts'] | null = null;
  return async (activities, attempt, next) => {
    const { before, ...own } = next;
    const { rounds, drawn, skip } = await roundsOf(activities, attempt, own, first);
    const isAhead = !skip && !isLast(next);
    const later = { ...own, step: next.step + 1, cursor: next.cursor + drawn, refill: 0, count: promptsPerStep };
    first = isAhead ? (await attempt(activities.rollout, later)).rollouts : null;
    const { policy } = await attempt(activities.update, { ...own, rounds, skip, ...(before && { before }) });
    return { policy, drawn, ...(isAhead && { before: next.policy }) };
  };
}

/** As where a judge is asked: sampling, scores and update are activities each. */
export const byParts: StepDriver = async (activities, attempt, next) => {
  const { rounds, drawn, skip } = await roundsOf(activities, attempt, next, null);
  const isAhead = !skip && !isLast(next);
  const { data, pool, cursor } = next;
  const ahead = isAhead ? { ahead: { data, pool, cursor: cursor + drawn } } : {};
  const { policy } = await attempt(activities.update, { ...next, rounds, skip, ...ahead });
  return { policy, drawn, ...(isAhead && { before: next.policy }) };
};

/** @param first where it is there already */
async function roundsOf(
  activities: Activities,
  attempt: Attempt,
  next: StepInput,
  first: Round['rollouts'] | null,
): Promise<{ rounds: Round[]; drawn: number; skip: boolean }> {
  const { stage, spec, data, step } = next;
  const rounds: Round[] = [];
  const seen = { drawn: 0, effective: 0 };
  while (rounds.length <= maxRefills && seen.effective < promptsPerStep) {
    const refill = rounds.length;
    const round = { ...next, refill, cursor: next.cursor + seen.drawn, count: promptsToDraw(promptsPerStep, seen) };
    const rollouts = (refill === 0 && first) || (await attempt(activities.rollout, round)).rollouts;
    const scored = await attempt(activities.score, { stage, spec, data, step, refill, rollouts });
    rounds.push({ rollouts, scores: scored.scores });
    seen.drawn += scored.groups;
    seen.effective += scored.effective;
  }
  return { rounds, drawn: seen.drawn, skip: seen.effective < signal.minEffectiveGroups };
}
