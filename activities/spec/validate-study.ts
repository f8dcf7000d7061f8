/** Checks a study: its parts, each variant's spec, and that what is claimed can be found out. */
import { isEvaluated, labelAfter } from '../contract/index.js';
import { canonicalJson } from '../store/index.js';
import { nearest } from './nearest.js';
import type { RunSpec } from './run-spec.js';
import { checkedBy, InvalidSpecError, type SpecIssue } from './spec-issues.js';
import { type Hypothesis, MOST_CELLS, type StudySpec, studySpecSchema } from './study-spec.js';
import { validateSpec } from './validate-spec.js';

/** A variant with its spec, whose seed is the first of the study. */
export interface Variant {
  name: string;
  spec: RunSpec;
}

export interface ValidStudy {
  study: StudySpec;
  variants: Variant[];
}

const invalid = (issues: SpecIssue[]) => new InvalidSpecError(issues, 'study');

/**
 * @param readBase gives the spec that a name stands for, as written; a base that is a block is taken as it is
 * @throws InvalidSpecError naming every wrong path
 */
export async function validateStudy(input: unknown, readBase: (name: string) => Promise<unknown>): Promise<ValidStudy> {
  const { data: study, issues } = checkedBy(studySpecSchema, input);
  if (study === undefined) throw invalid(issues);
  const shape = [...twice(study), ...tooMany(study)];
  if (shape.length > 0) throw invalid(shape);

  const base = await written(study, readBase);
  refuseBase(base, study.set);
  const found: SpecIssue[] = [];
  const variants = study.variants.flatMap(({ name, set }, k): Variant[] => {
    const spec = checked(base, { ...study.set, ...set, seed: study.seeds[0]! });
    if (!Array.isArray(spec)) return [{ name, spec }];
    found.push(...spec.map(issue => inSet(issue, set, `variants[${k}].set`)));
    return [];
  });
  if (found.length > 0) throw invalid(found);
  found.push(
    ...withoutEffect(base, {}, study.set, 'set'),
    ...study.variants.flatMap(({ set }, k) => withoutEffect(base, study.set, set, `variants[${k}].set`)),
    ...equal(variants),
  );
  study.hypotheses.forEach((hypothesis, k) => {
    found.push(...unanswerable(hypothesis, `hypotheses[${k}]`, variants));
  });
  if (found.length > 0) throw invalid(found);
  return { study, variants };
}

/** The labels of the policies that a run evaluates, in order. */
export function evaluatedLabels({ warmup, phases, evaluation }: RunSpec): string[] {
  const stages = [...(warmup ? ['warmup'] : []), ...phases.map((_, k) => `phase-${k + 1}`)];
  const labels = ['base', ...stages.map((stage, k) => labelAfter(stage, k === stages.length - 1))];
  const asked = { evaluate: evaluation.policies, data: evaluation };
  return labels.filter(label => isEvaluated(asked, label));
}

function twice({ variants, seeds, hypotheses }: StudySpec): SpecIssue[] {
  const repeated = <T>(list: readonly T[], path: (k: number) => string, say: (value: T) => string): SpecIssue[] =>
    list.flatMap((value, k) =>
      list.findIndex(one => canonicalJson(one) === canonicalJson(value)) === k
        ? []
        : [{ path: path(k), problem: say(value) }],
    );
  const names = variants.map(({ name }) => name);
  const claims = hypotheses.map(({ claim: _, ...rest }) => ({ ...rest, aboveAt: rest.aboveAt ?? rest.at }));
  return [
    ...repeated(
      names,
      k => `variants[${k}].name`,
      name => `expected a name of its own, found "${name}" a second time`,
    ),
    ...repeated(
      seeds,
      k => `seeds[${k}]`,
      seed => `expected each seed once, found ${seed} a second time`,
    ),
    ...repeated(
      claims,
      k => `hypotheses[${k}]`,
      () => 'expected each hypothesis once: it says what one before it says',
    ),
  ];
}

function tooMany({ variants, seeds }: StudySpec): SpecIssue[] {
  const cells = variants.length * seeds.length;
  if (cells <= MOST_CELLS) return [];
  const problem = `expected at most ${MOST_CELLS} runs, found ${cells} (${variants.length} variants with ${seeds.length} seeds): make two studies of it`;
  return [{ path: 'seeds', problem }];
}

async function written({ base }: StudySpec, readBase: (name: string) => Promise<unknown>): Promise<unknown> {
  if (typeof base !== 'string') return base;
  return readBase(base).catch((error: unknown) => {
    throw invalid([{ path: 'base', problem: error instanceof Error ? error.message : String(error) }]);
  });
}

type Overrides = Record<string, unknown>;

function refuseBase(base: unknown, set: Overrides): void {
  const alone = checked(base, {});
  if (Array.isArray(alone))
    throw invalid(alone.map(({ path, problem }) => ({ path: path === '' ? 'base' : `base.${path}`, problem })));
  const changed = checked(base, set);
  if (Array.isArray(changed)) throw invalid(changed.map(issue => inSet(issue, set, 'set')));
}

/** The base with the values laid over it, or what is wrong with that. */
function checked(base: unknown, overrides: Overrides): RunSpec | SpecIssue[] {
  try {
    return validateSpec(base, overrides);
  } catch (error) {
    if (error instanceof InvalidSpecError) return error.issues;
    throw error;
  }
}

/** Said of the value that was laid over, where one of them reaches there. */
function inSet({ path, problem }: SpecIssue, overrides: Overrides, place: string): SpecIssue {
  const plain = (text: string) => text.replace(/\[(\d+)\]/g, '.$1');
  const meant = Object.keys(overrides).find(key => `${plain(path)}.`.startsWith(`${plain(key)}.`));
  const rest = meant === undefined ? path : plain(path).slice(plain(meant).length + 1);
  const at = meant === undefined ? place : `${place}["${meant}"]`;
  return { path: at, problem: rest === '' ? problem : `${rest}: ${problem}` };
}

/** What decides a run's bits and scores, apart from its seed. */
const decisive = (spec: RunSpec): string =>
  canonicalJson({ ...spec, seed: null, checkpoints: null, shards: null, export: null });

/** The values of `set` without which everything would be as with them. @param below what they are laid over, over the base */
function withoutEffect(base: unknown, below: Overrides, set: Overrides, place: string): SpecIssue[] {
  const whole = checked(base, { ...below, ...set });
  return Object.entries(set).flatMap(([key, value]): SpecIssue[] => {
    const path = `${place}["${key}"]`;
    if (key === 'seed')
      return [{ path, problem: 'expected nothing: the seeds of all variants are those under `seeds`' }];
    const { [key]: _, ...others } = set;
    const without = checked(base, { ...below, ...others });
    if (Array.isArray(whole) || Array.isArray(without) || decisive(without) !== decisive(whole)) return [];
    return [{ path, problem: `changes nothing: without it all is the same, found ${JSON.stringify(value)}` }];
  });
}

function equal(variants: Variant[]): SpecIssue[] {
  return variants.flatMap(({ name, spec }, k) => {
    const before = variants.slice(0, k).find(other => decisive(other.spec) === decisive(spec));
    const problem = `expected another run than "${before?.name}", found the same: "${name}" would show nothing`;
    return before ? [{ path: `variants[${k}]`, problem }] : [];
  });
}

/** Why a hypothesis cannot be found shown or refuted, whatever the runs come to. */
function unanswerable(hypothesis: Hypothesis, at: string, variants: Variant[]): SpecIssue[] {
  const { variant, above, on } = hypothesis;
  const aboveAt = hypothesis.aboveAt ?? hypothesis.at;
  const sides = [
    { field: 'variant', name: variant, label: hypothesis.at, labelField: 'at' },
    { field: 'above', name: above, label: aboveAt, labelField: hypothesis.aboveAt === undefined ? 'at' : 'aboveAt' },
  ];
  const unknown = sides.flatMap(({ field, name }) =>
    variants.some(one => one.name === name)
      ? []
      : [
          {
            path: `${at}.${field}`,
            problem: `there is no variant "${name}"${meaning(
              name,
              variants.map(one => one.name),
            )}`,
          },
        ],
  );
  if (unknown.length > 0) return unknown;
  if (variant === above && hypothesis.at === aboveAt)
    return [{ path: at, problem: `compares ${variant} at ${aboveAt} with itself` }];
  const specs = sides.map(side => ({ ...side, spec: variants.find(({ name }) => name === side.name)!.spec }));
  const issues = specs.flatMap(({ name, spec, label, labelField }): SpecIssue[] => {
    const labels = evaluatedLabels(spec);
    const sets = spec.evaluation.sets.map(set => set.name);
    if (!sets.includes(on))
      return [{ path: `${at}.on`, problem: `there is no evaluation set "${on}" in ${name}${meaning(on, sets)}` }];
    if (labels.includes(label)) return [];
    return [
      {
        path: `${at}.${labelField}`,
        problem: `${name} evaluates no policy "${label}": expected one of ${labels.join(', ')}`,
      },
    ];
  });
  if (issues.length > 0) return issues.filter(({ path }, k) => issues.findIndex(one => one.path === path) === k);
  const [ours, theirs] = specs.map(({ spec }) => questions(spec, on));
  if (ours === theirs) return [];
  return [
    {
      path: `${at}.on`,
      problem: `${variant} and ${above} answer other questions on "${on}": expected the same source, limit, prompt and sampling`,
    },
  ];
}

/** What a set's scores are of. */
function questions({ evaluation, prompt }: RunSpec, on: string): string {
  const { sets, sampling, samples, maxInputTokens } = evaluation;
  const { source, limit } = sets.find(({ name }) => name === on)!;
  return canonicalJson({ source, limit, sampling, samples, maxInputTokens, prompt });
}

function meaning(typed: string, known: string[]): string {
  const meant = nearest(typed, known);
  if (meant !== undefined) return `: did you mean "${meant}"?`;
  return known.length === 0 ? ': it has none' : `: expected one of ${known.join(', ')}`;
}
