/**
 * From what a user wrote to a RunSpec with every default filled in, or to the list of everything wrong with it: each
 * path, and what was expected there.
 */
import type { z } from 'zod';
import { rulesOf } from '../engine/training/index.js';
import { type RlSettings, type RunSpec, rlSchema, runSpecSchema } from './run-spec.js';

export interface SpecIssue {
  /** As in `phases[1].rl.sampling.topP`; empty for the spec itself. */
  path: string;
  problem: string;
}

export class InvalidSpecError extends Error {
  override readonly name = 'InvalidSpecError';
  constructor(
    readonly issues: SpecIssue[],
    what = 'run spec',
  ) {
    super(
      `The ${what} has ${issues.length === 1 ? 'a mistake' : `${issues.length} mistakes`}:\n` +
        issues.map(({ path, problem }) => `  ${path || '(the spec)'}: ${problem}`).join('\n'),
    );
  }
}

type Json = Record<string, unknown>;

/**
 * Checks a spec as users write it (or as spec.json holds it: validating twice changes nothing).
 * @param overrides values by dotted path, set before checking: `phases.0.steps`, `rl.optimizer.learningRate`
 * @throws InvalidSpecError naming every wrong path
 */
export function validateSpec(input: unknown, overrides: Record<string, unknown> = {}): RunSpec {
  const issues: SpecIssue[] = [];
  const raw = withOverrides(input, overrides, issues);
  const parsed = runSpecSchema.safeParse(raw);
  if (!parsed.success) issues.push(...issuesOf(parsed.error, []));
  const phases = phaseSettings(raw, issues);
  if (!parsed.success || issues.length > 0) throw new InvalidSpecError(issues);

  const rl = filled(parsed.data.rl);
  const spec: RunSpec = {
    ...parsed.data,
    rl,
    phases: parsed.data.phases.map((phase, k) => ({ ...phase, rl: filled(phases[k]!) })),
    evaluation: { ...parsed.data.evaluation, sampling: parsed.data.evaluation.sampling ?? rl.sampling },
  };
  issues.push(...contradictions(spec));
  if (issues.length > 0) throw new InvalidSpecError(issues);
  return spec;
}

/** Rounds of further draws, where the algorithm samples dynamically. */
const DEFAULT_REFILLS = 3;

/** Defaults that depend on the algorithm. */
function filled(rl: z.output<typeof rlSchema>): RlSettings {
  const { clipLow, clipHigh, dynamicSampling } = rulesOf(rl.algorithm);
  return {
    ...rl,
    clipLow: rl.clipLow ?? clipLow,
    clipHigh: rl.clipHigh ?? clipHigh,
    maxRefills: rl.maxRefills ?? (dynamicSampling ? DEFAULT_REFILLS : 0),
    promptsPerUpdate: rl.promptsPerUpdate ?? rl.promptsPerStep,
  };
}

/**
 * Each phase's own settings over the run's. They are merged as written and checked as a whole, since a partial schema
 * would fill the gaps with defaults instead of the run's values.
 */
function phaseSettings(raw: unknown, issues: SpecIssue[]): z.output<typeof rlSchema>[] {
  if (!isObject(raw) || !Array.isArray(raw.phases)) return [];
  const known = new Set(issues.map(issue => issue.path.replace(/^rl/, '')));
  return raw.phases.flatMap((phase: unknown, k) => {
    const own = isObject(phase) && isObject(phase.rl) ? phase.rl : {};
    const parsed = rlSchema.safeParse(merged(isObject(raw.rl) ? raw.rl : {}, own));
    if (parsed.success) return [parsed.data];
    const found = issuesOf(parsed.error, ['phases', k, 'rl']);
    const prefix = formatPath(['phases', k, 'rl']);
    issues.push(...found.filter(issue => !known.has(issue.path.slice(prefix.length))));
    return [];
  });
}

/** What each field alone cannot show. */
function contradictions(spec: RunSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const refuse = (bad: boolean, path: string, problem: string) => {
    if (bad) issues.push({ path, problem });
  };
  spec.phases.forEach((phase, k) => {
    const { rl } = phase;
    const at = `phases[${k}]`;
    const before = spec.phases[k - 1]?.maxTokens ?? 0;
    refuse(
      phase.maxTokens <= before,
      `${at}.maxTokens`,
      `expected more than the phase before (${before}), found ${phase.maxTokens}`,
    );
    refuse(
      rl.sampling.temperature === 0,
      `${at}.rl.sampling.temperature`,
      'expected more than 0: greedy responses are all equal, and a group without variance teaches nothing',
    );
    refuse(
      rl.signal.minEffectiveGroups > rl.promptsPerStep,
      `${at}.rl.signal.minEffectiveGroups`,
      `expected at most promptsPerStep (${rl.promptsPerStep}), found ${rl.signal.minEffectiveGroups}`,
    );
    refuse(
      rl.tokenMean !== 'group' && !rulesOf(rl.algorithm).options.includes('tokenMean'),
      `${at}.rl.tokenMean`,
      `expected nothing: ${rl.algorithm} has a mean of its own, found "${rl.tokenMean}"`,
    );
    refuse(
      rl.overlong !== null && rl.overlong.cache > rl.overlong.maxLength,
      `${at}.rl.overlong.cache`,
      `expected at most maxLength (${rl.overlong?.maxLength}), found ${rl.overlong?.cache}`,
    );
  });
  const { evidence } = spec.reward;
  refuse(
    evidence !== null && !spec.prompt.numbered,
    'prompt.numbered',
    'expected true: reward.evidence is for citing documents by the numbers that they have in the prompt',
  );
  refuse(
    evidence !== null && spec.retrospective.enabled && spec.retrospective.weight === 'zero-accuracy',
    'retrospective.weight',
    'expected "inverse-mean-reward": with reward.evidence a sample never answered may still have a reward above 0',
  );
  const names = spec.evaluation.sets.map(set => set.name);
  names.forEach((name, k) => {
    refuse(
      names.indexOf(name) !== k,
      `evaluation.sets[${k}].name`,
      `expected a name of its own, found "${name}" a second time`,
    );
  });
  return issues;
}

/** A schema's complaints, each with its path. */
export function issuesOf(error: z.ZodError, prefix: PropertyKey[]): SpecIssue[] {
  return error.issues.flatMap(issue => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'unrecognized_keys') {
      return [{ path: formatPath(path), problem: issue.message.replace(/^Invalid input: /, '') }];
    }
    return issue.keys.map(key => ({ path: formatPath([...path, key]), problem: 'unknown field: remove or rename it' }));
  });
}

function formatPath(path: PropertyKey[]): string {
  return path
    .map((key, k) => (typeof key === 'number' ? `[${key}]` : k === 0 ? String(key) : `.${String(key)}`))
    .join('');
}

/** A copy of the input with each override put in its place; a path that leads nowhere is an issue. */
export function withOverrides(input: unknown, overrides: Record<string, unknown>, issues: SpecIssue[]): unknown {
  const root = { spec: structuredClone(input) };
  for (const [path, value] of Object.entries(overrides)) {
    const keys = ['spec', ...path.replace(/\[(\d+)\]/g, '.$1').split('.')];
    let place: unknown = keys.includes('__proto__') ? undefined : root;
    for (const key of keys.slice(0, -1)) {
      if (isObject(place) && place[key] === undefined) place[key] = {};
      place = isObject(place) || Array.isArray(place) ? (place as Json)[key] : undefined;
    }
    const last = keys.at(-1)!;
    const fits = Array.isArray(place) ? /^\d+$/.test(last) && Number(last) < place.length : isObject(place);
    if (fits) (place as Json)[last] = value;
    else issues.push({ path, problem: 'the override leads nowhere: no such field or element in the spec' });
  }
  return root.spec;
}

/** `over` laid on `base`, objects within objects merged field by field. */
function merged(base: Json, over: Json): Json {
  const result: Json = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isObject(below) && isObject(value) ? merged(below, value) : value;
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
