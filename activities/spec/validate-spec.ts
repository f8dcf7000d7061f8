/**
 * From what a user wrote to a RunSpec with every default filled in, or to the list of everything wrong with it: each
 * path, and what was expected there.
 */
import type { z } from 'zod';
import { rulesOf } from '../engine/training/index.js';
import { engineIssues, filledEngine, SERVED_TEMPERATURE } from './engine-settings.js';
import { type RlSettings, rlSchema } from './rl-settings.js';
import { type RunSpec, runSpecSchema } from './run-spec.js';
import { checkedBy, InvalidSpecError, type SpecIssue } from './spec-issues.js';

type Json = Record<string, unknown>;

/**
 * Checks a spec as users write it (or as spec.json holds it: validating twice changes nothing).
 * @param overrides values by dotted path, set before checking: `phases.0.steps`, `rl.optimizer.learningRate`
 * @throws InvalidSpecError naming every wrong path
 */
export function validateSpec(input: unknown, overrides: Record<string, unknown> = {}): RunSpec {
  const issues: SpecIssue[] = [];
  const raw = withEngineDefaults(withOverrides(input, overrides, issues));
  const parsed = checkedBy(runSpecSchema, raw);
  issues.push(...parsed.issues);
  if (parsed.data === undefined || issues.length > 0) throw new InvalidSpecError(issues);

  const own = (raw as { phases: { rl?: Json }[] }).phases.map(phase => phase.rl ?? {});
  const rl = filled(parsed.data.rl);
  const phases = own.map((over, k) => phaseSettings((raw as { rl?: Json }).rl ?? {}, over, k, issues));
  if (issues.length > 0) throw new InvalidSpecError(issues);
  const { evaluation } = parsed.data;
  const spec: RunSpec = {
    ...parsed.data,
    rl,
    phases: parsed.data.phases.map((phase, k) => ({ ...phase, rl: phases[k]! })),
    evaluation: {
      ...evaluation,
      sampling: evaluation.sampling
        ? { ...evaluation.sampling, maxNewTokens: evaluation.sampling.maxNewTokens ?? rl.sampling.maxNewTokens }
        : rl.sampling,
    },
    engine: filledEngine(parsed.data.engine, parsed.data.model),
  };
  issues.push(
    ...phaseContradictions(spec, own),
    ...contradictions(spec),
    ...engineIssues(parsed.data.engine, parsed.data.lora),
  );
  if (issues.length > 0) throw new InvalidSpecError(issues);
  return spec;
}

/** A training service samples, scores and trains at one temperature, so there the paper's is not the default. */
function withEngineDefaults(raw: unknown): unknown {
  const { engine, rl } = isObject(raw) ? raw : {};
  if (!isObject(engine) || engine.kind !== 'tinker' || has(rl, 'sampling.temperature')) return raw;
  return merged(raw as Json, { rl: merged(isObject(rl) ? rl : {}, { sampling: { temperature: SERVED_TEMPERATURE } }) });
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
 * A phase's own settings over the run's. Both were checked for themselves; they are merged as written, since the defaults
 * of the one would hide what the other says, and checked once more for what only both together can lack.
 */
function phaseSettings(run: Json, own: Json, k: number, issues: SpecIssue[]): RlSettings | undefined {
  const { data, issues: found } = checkedBy(rlSchema, merged(run, own), ['phases', k, 'rl']);
  issues.push(...found);
  return data && filled(data);
}

/** Of settings that a phase has of its own it is said there, of the run's once. */
function phaseContradictions(spec: RunSpec, own: Json[]): SpecIssue[] {
  const issues = new Map<string, SpecIssue>();
  spec.phases.forEach((phase, k) => {
    const { rl } = phase;
    /** @param fields of `rl`, the one to change first */
    const refuse = (bad: boolean, fields: string[], problem: string) => {
      const path = `${fields.some(name => has(own[k], name)) ? `phases[${k}].rl` : 'rl'}.${fields[0]}`;
      if (bad && !issues.has(path)) issues.set(path, { path, problem });
    };
    const before = spec.phases[k - 1]?.maxTokens ?? 0;
    if (phase.maxTokens <= before) {
      const path = `phases[${k}].maxTokens`;
      issues.set(path, { path, problem: `expected more than the phase before (${before}), found ${phase.maxTokens}` });
    }
    refuse(
      rl.sampling.temperature === 0,
      ['sampling.temperature'],
      'expected more than 0, found 0: greedy responses are all equal, and a group without variance teaches nothing',
    );
    refuse(
      spec.engine.kind === 'tinker' && rl.sampling.temperature !== SERVED_TEMPERATURE,
      ['sampling.temperature'],
      `expected ${SERVED_TEMPERATURE}, found ${rl.sampling.temperature}: a training service scores and trains at no other temperature`,
    );
    refuse(
      rl.signal.minEffectiveGroups > rl.promptsPerStep,
      ['signal.minEffectiveGroups', 'promptsPerStep'],
      `expected at most promptsPerStep (${rl.promptsPerStep}), found ${rl.signal.minEffectiveGroups}`,
    );
    refuse(
      rl.tokenMean !== 'group' && !rulesOf(rl.algorithm).options.includes('tokenMean'),
      ['tokenMean', 'algorithm'],
      `expected nothing: ${rl.algorithm} has a mean of its own, found "${rl.tokenMean}"`,
    );
    refuse(
      rl.advantageScale === 'task' && !rulesOf(rl.algorithm).options.includes('advantageScale'),
      ['advantageScale', 'algorithm'],
      `expected nothing: ${rl.algorithm} does not divide by a deviation, found "${rl.advantageScale}"`,
    );
    const { truncatedLogprobs, sampling } = rl;
    refuse(
      truncatedLogprobs === true && sampling.topP === 1 && sampling.topK === 0,
      ['truncatedLogprobs', 'sampling.topP', 'sampling.topK'],
      'expected sampling.topP below 1 or sampling.topK above 0 beside it: nothing is truncated',
    );
    refuse(
      truncatedLogprobs === true && rl.kl !== null,
      ['truncatedLogprobs', 'kl'],
      'expected nothing beside kl: the reference policy would keep other tokens',
    );
    refuse(
      truncatedLogprobs === true && spec.engine.kind === 'tinker',
      ['truncatedLogprobs'],
      'expected nothing: a training service scores and trains over all tokens',
    );
    refuse(
      rl.overlap === true && spec.engine.kind !== 'tinker',
      ['overlap'],
      'expected nothing: it is for engine.kind "tinker"; workers that train by themselves sample on the same processor, so nothing would be gained',
    );
    refuse(
      rl.overlap === true && rl.importanceCap === null,
      ['importanceCap', 'overlap'],
      'expected a number, as 2, beside overlap: what an older policy sampled has to be weighed',
    );
    refuse(
      rl.aepo !== undefined && rl.aepo.low > rl.aepo.high,
      ['aepo.low', 'aepo.high'],
      `expected at most high (${rl.aepo?.high}), found ${rl.aepo?.low}`,
    );
    refuse(
      rl.overlong !== null && rl.overlong.cache > rl.overlong.maxLength,
      ['overlong.cache', 'overlong.maxLength'],
      `expected at most maxLength (${rl.overlong?.maxLength}), found ${rl.overlong?.cache}`,
    );
  });
  return [...issues.values()];
}

/** Whether settings as written say something at a dotted path. */
const has = (written: unknown, path: string): boolean =>
  path.split('.').reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), written) !== undefined;

/** What each field alone cannot show. */
function contradictions(spec: RunSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const refuse = (bad: boolean, path: string, problem: string) => {
    if (bad) issues.push({ path, problem });
  };
  issues.push(...unusedByTemplate(spec.prompt));
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
  const { remeasure, enabled } = spec.retrospective;
  refuse(
    remeasure !== undefined && !enabled,
    'retrospective.remeasure',
    'expected nothing where retrospective.enabled is false: nothing is carried over',
  );
  refuse(
    remeasure !== undefined && spec.phases.length === 1,
    'retrospective.remeasure',
    'expected nothing: a single phase has none before it, whose samples could be measured again',
  );
  refuse(
    spec.engine.kind === 'tinker' && (spec.shards ?? 1) > 1,
    'shards',
    'expected nothing: with engine.kind "tinker" the service samples, on as many machines as it has',
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

/** What a chat template would be given, where none is used. */
export function unusedByTemplate({ chat, variables, date }: RunSpec['prompt']): SpecIssue[] {
  if (chat) return [];
  const given = Object.entries({ variables, date }).filter(([, value]) => value !== undefined);
  const problem = 'expected nothing: it is for the chat template, and prompt.chat is false';
  return given.map(([field]) => ({ path: `prompt.${field}`, problem }));
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
    // A later override may reach into it: what was given stays as it is.
    if (fits) (place as Json)[last] = structuredClone(value);
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
