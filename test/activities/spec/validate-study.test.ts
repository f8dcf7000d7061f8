import { InvalidSpecError, MOST_CELLS, validateStudy } from '../../../activities/spec/index.js';
import { smallSpec } from '../../support/small-run.js';

const base = smallSpec('/data');
const readBase = async (name: string) => {
  if (name === 'small') return base;
  throw new Error(`There is no preset "${name}".`);
};

const STUDY = {
  base: 'small',
  variants: [{ name: 'full' }, { name: 'cold', set: { warmup: null } }],
  seeds: [1, 2],
  hypotheses: [{ variant: 'full', above: 'cold', on: 'held-out' }],
};

const check = (changes: object) => validateStudy({ ...STUDY, ...changes }, readBase);

test('a study has a spec for each variant, and defaults filled in', async () => {
  const { study, variants } = await check({});
  expect(variants.map(({ name, spec }) => [name, spec.seed, spec.warmup?.batchSize ?? null])).toEqual([
    ['full', 1, 8],
    ['cold', 1, null],
  ]);
  expect(study).toMatchObject({ atOnce: 1, hypotheses: [{ at: 'final' }], variants: [{ set: {} }, {}] });
});

test('a base may be written out', async () => {
  const { variants } = await check({ base });
  expect(variants).toHaveLength(2);
});

test('what all variants have of their own is laid over the base first', async () => {
  const { variants } = await check({
    set: { 'rl.groupSize': 2 },
    variants: [{ name: 'two' }, { name: 'eight', set: { 'rl.groupSize': 8 } }],
    hypotheses: [],
  });
  expect(variants.map(({ spec }) => spec.rl.groupSize)).toEqual([2, 8]);
});

test('one variant may be compared with itself at another policy', async () => {
  const hypotheses = [{ variant: 'full', above: 'full', aboveAt: 'base', on: 'held-out' }];
  await expect(check({ hypotheses })).resolves.toBeDefined();
});

const variants = (...more: object[]) => ({ variants: [...STUDY.variants, ...more] });
const claims = (...hypotheses: object[]) => ({
  hypotheses: hypotheses.map(one => ({ ...STUDY.hypotheses[0], ...one })),
});

test.each<[string, object, string]>([
  ['an unknown field', { seed: 1 }, 'seed: unknown field: did you mean "seeds"?'],
  ['no variants', { variants: [] }, 'variants: expected a list that is not empty'],
  ['a base that is not there', { base: 'large' }, 'base: There is no preset "large".'],
  ['a base with a mistake', { base: { ...base, phases: [{ maxTokens: 40 }] } }, 'base.phases[0].steps: missing'],
  [
    'a variant called twice',
    variants({ name: 'full', set: { 'rl.groupSize': 2 } }),
    'variants[2].name: expected a name of its own',
  ],
  ['a name with a dot', variants({ name: 'a.b' }), 'variants[2].name: expected letters'],
  ['seeds repeated', { seeds: [1, 2, 1] }, 'seeds[2]: expected each seed once, found 1 a second time'],
  ['a seed among the values', variants({ name: 'x', set: { seed: 3 } }), 'variants[2].set["seed"]: expected nothing'],
  [
    'more runs than a study holds',
    { seeds: Array.from({ length: MOST_CELLS }, (_, k) => k) },
    'seeds: expected at most 200 runs, found 400',
  ],
  [
    'a value that is there already',
    variants({ name: 'x', set: { 'rl.groupSize': 4 } }),
    'variants[2].set["rl.groupSize"]: changes nothing',
  ],
  [
    'one that no bit depends on',
    variants({ name: 'x', set: { 'checkpoints.keep': 7 } }),
    'variants[2].set["checkpoints.keep"]: changes nothing',
  ],
  [
    'a list that is there already',
    variants({ name: 'x', set: { warmup: null, 'evaluation.policies': ['base', 'final'] } }),
    'variants[2].set["evaluation.policies"]: changes nothing',
  ],
  ['a value for all that is there already', { set: { 'rl.groupSize': 4 } }, 'set["rl.groupSize"]: changes nothing'],
  ['a mistake in what is for all', { set: { 'phases.0.steps': 0 } }, 'set["phases.0.steps"]: expected'],
  [
    'variants that are equal',
    variants({ name: 'x', set: { warmup: null } }),
    'variants[2]: expected another run than "cold", found the same',
  ],
  [
    'a value of the wrong kind',
    variants({ name: 'x', set: { 'rl.groupSize': 'many' } }),
    'variants[2].set["rl.groupSize"]: expected a number',
  ],
  [
    'a value within a block',
    variants({ name: 'x', set: { rl: { groupSize: 0 } } }),
    'variants[2].set["rl"]: groupSize: expected',
  ],
  [
    'a path that leads nowhere',
    variants({ name: 'x', set: { 'phases.7.steps': 2 } }),
    'variants[2].set["phases.7.steps"]: the override leads nowhere',
  ],
  [
    'a hypothesis that names no variant',
    claims({ variant: 'ful' }),
    'hypotheses[0].variant: there is no variant "ful": did you mean "full"?',
  ],
  [
    'nor one to be above',
    claims({ above: 'warm' }),
    'hypotheses[0].above: there is no variant "warm": expected one of full, cold',
  ],
  [
    'a set that does not exist',
    claims({ on: 'heldout' }),
    'hypotheses[0].on: there is no evaluation set "heldout" in full: did you mean "held-out"?',
  ],
  [
    'a policy that is not evaluated',
    claims({ at: 'phase-1' }),
    'hypotheses[0].at: full evaluates no policy "phase-1": expected one of base, final',
  ],
  [
    'a policy that there is none of',
    claims({ aboveAt: 'last' }),
    'hypotheses[0].aboveAt: expected "base", "sft", "phase-K" or "final"',
  ],
  ['a policy compared with itself', claims({ above: 'full' }), 'hypotheses[0]: compares full at final with itself'],
  [
    'a hypothesis said twice',
    claims({}, { aboveAt: 'final', claim: 'again' }),
    'hypotheses[1]: expected each hypothesis once',
  ],
  [
    'sets of other questions',
    { variants: [{ name: 'full' }, { name: 'cold', set: { 'evaluation.sets.0.limit': 4 } }] },
    'hypotheses[0].on: full and cold answer other questions on "held-out"',
  ],
])('%s is refused by path', async (_, changes, message) => {
  const error = await check(changes).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InvalidSpecError);
  expect((error as Error).message).toContain(message);
});
