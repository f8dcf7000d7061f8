/**
 * A run that branches off another: it begins with a phase of that run, from the policy which that phase began with, on
 * the same data, with other settings if wanted. Nothing of the other run is copied or changed; what came before is shared.
 */
import { isDeepStrictEqual } from 'node:util';
import type { BranchInput, CurriculumInput, PolicyRef } from '../contract/index.js';
import { InvalidSpecError, type RunSpec, runNameSchema, validateSpec } from '../spec/index.js';
import {
  attemptUri,
  baseUri,
  checkpointUri,
  claimedAttempt,
  outcomeUri,
  phaseNumber,
  planUri,
  readJson,
  readLines,
  type StageAttempt,
  type Store,
  specUri,
  stageUri,
} from '../store/index.js';
import type { StepLine } from '../training/index.js';
import { CHANGEABLE } from './claim-attempt.js';
import type { Outcome } from './outcomes.js';
import type { RunPlan } from './run-plan.js';
import type { StageOutcome } from './share-outcomes.js';

export interface Branch {
  /** The other run's spec with the overrides. */
  spec: RunSpec;
  /** The other run's base. */
  base: PolicyRef;
  /** The other run's data. */
  plan: Pick<RunPlan, 'model' | 'data' | 'counts'>;
  /** Where it begins, and with what. */
  entry: NonNullable<RunPlan['branch']>;
}

export const isBranch = (input: CurriculumInput): input is BranchInput =>
  typeof input === 'object' && input !== null && 'from' in input;

/**
 * @throws InvalidSpecError when there is no such run or phase in the store, when what must come before it is unfinished, or
 * for an override that a branch cannot have
 */
export async function openBranch(store: Store, { from, overrides = {}, ...rest }: BranchInput): Promise<Branch> {
  const [run = '', first = '', ...more] = String(from).split('/');
  const refused = (problem: string) => new InvalidSpecError([{ path: 'from', problem }]);
  if (more.length > 0 || !runNameSchema.safeParse(run).success || !/^phase-[1-9]\d*$/.test(first))
    throw refused(`expected "RUN/phase-K", found ${JSON.stringify(from)}`);
  const issues = [
    ...Object.keys(rest).map(path => ({ path, problem: 'unknown field: beside "from" only "overrides" may stand' })),
    ...Object.keys(overrides)
      .filter(path => !CHANGEABLE.test(path) && !/^((evaluation|export)\.|shards$)/.test(path))
      .map(path => ({
        path: `overrides["${path}"]`,
        problem:
          'a branch shares model, data and engine with its run: expected seed, rl.…, reward.…, phases.…, retrospective.…, evaluation.…, checkpoints.…, engine.microBatchTokens, export.… or shards',
      })),
  ];
  if (issues.length > 0) throw new InvalidSpecError(issues);
  const published = await store.find(planUri(run));
  if (!published) throw refused(`there is no run "${run}" in the store`);
  const { branch, ...plan } = await readJson<RunPlan>(store, published);
  const whole = validateSpec(await readJson<RunSpec>(store, (await store.find(specUri(run)))!));
  const spec = validateSpec(whole, reachingPhases(whole, overrides));
  const number = phaseNumber(first);
  if (number > spec.phases.length)
    throw refused(`the run "${run}" has phases 1 to ${spec.phases.length}, found ${first}`);

  const own = stageNames(spec).slice(branch ? stageNames(spec).indexOf(branch.first) : 0);
  if (!own.includes(first))
    throw refused(`the run "${run}" itself begins with ${branch!.first}: branch off ${branch!.of} instead`);
  const base = await readJson<PolicyRef>(store, (await store.find(baseUri(run)))!);
  let policy = branch?.policy ?? base;
  const difficulties = [...(branch?.difficulties ?? [])];
  for (const stage of own.slice(0, own.indexOf(first))) {
    const ended = await endOf(store, run, stage);
    if (!ended)
      throw refused(`${stage} of the run "${run}" is not finished, so ${first} has nothing to begin with yet`);
    policy = ended.policy;
    if (ended.difficulty) difficulties.push(ended.difficulty);
  }
  return { spec, base, plan, entry: { of: run, first, policy, difficulties } };
}

/**
 * The spec in the store spells out each phase's settings. So `rl.…` is laid over those of every phase that has there what
 * the run has; what a phase had of its own it keeps, unless an override names it.
 */
export function reachingPhases(spec: RunSpec, overrides: Record<string, unknown>): Record<string, unknown> {
  const reached = Object.entries(overrides).flatMap(([path, value]) => {
    const [first, ...keys] = path.split('.');
    if (first !== 'rl') return [];
    const following = spec.phases.flatMap(({ rl }, k) =>
      isDeepStrictEqual(at(rl, keys), at(spec.rl, keys)) ? [k] : [],
    );
    return following.map(k => [`phases.${k}.${path}`, value]);
  });
  return { ...Object.fromEntries(reached), ...overrides };
}

const at = (settings: object, keys: readonly string[]): unknown =>
  keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], settings);

/** The run's stages in order. */
export const stageNames = (spec: RunSpec): string[] => [
  ...(spec.warmup ? ['warmup'] : []),
  ...spec.phases.map((_, k) => `phase-${k + 1}`),
];

/** What a stage's current attempt ended with; null if it has not ended. */
async function endOf(store: Store, run: string, stage: string) {
  const attempt = await claimedAttempt(store, stageUri({ run, stage }));
  if (attempt === null) {
    const taken = await store.find(outcomeUri(run, stage));
    if (!taken) return null;
    const { policy, difficulty = null } = (await readJson<Outcome<StageOutcome>>(store, taken)).result;
    return { policy, difficulty };
  }
  const at: StageAttempt = { run, stage, attempt };
  const steps = await store.find(attemptUri(at, 'steps.jsonl'));
  const last = steps && (await readLines<StepLine>(store, steps)).at(-1);
  if (!last) return null;
  const policy: PolicyRef = { name: last.policy, uri: checkpointUri(run, last.policy), sha256: last.sha256 };
  return { policy, difficulty: await store.find(attemptUri(at, 'difficulty.json')) };
}
