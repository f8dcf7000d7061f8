/** Tokens measured again: under the policy that sampled them, once, and with nothing else changed in the store. */
import { readdir } from 'node:fs/promises';
import type { RolloutGroup } from '../../../activities/artifacts/index.js';
import { entryAt } from '../../../activities/policies/index.js';
import { readLines } from '../../../activities/store/index.js';
import { isMeasured, type MeasuredGroup, measuredTokens, measureTokens } from '../../../infra/proof/measured-tokens.js';
import { tokensOf } from '../../../infra/ui/tokens.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';

const STAGE = { run: 'run', stage: 'phase-1', attempt: 1 };
let small: SmallRun;

beforeEach(async () => {
  small = await smallRun();
});
afterEach(() => small.remove());

const recordOf = async (step: number) => (await entryAt(small.store, STAGE, step))!.record;
const groupsOf = async (step: number) =>
  Promise.all(
    (await recordOf(step)).inputs.rounds.map(({ rollouts }) => readLines<RolloutGroup>(small.store, rollouts)),
  );
/** Those that a person sees: no sums. */
const files = async () =>
  (await readdir(small.store.root, { recursive: true })).filter(file => !/(^|\/)\./.test(file)).sort();

test('under the policy that sampled, which the log makes again', async () => {
  await driveRun(small);
  // Of the second step's policy there is no checkpoint.
  const { inputs, ...record } = await recordOf(2);
  const [before, groups] = [await files(), await groupsOf(2)];
  small.engine.forget();
  expect(await measuredTokens(small.store, STAGE, 2, 0)).toBeNull();
  expect(await measureTokens(small.deps, { ...record, inputs }, unsupervised())).toBe(groups.flat().length);
  expect((await small.engine.call('status', {})).tag).toMatch(new RegExp(`^${inputs.parent.name}`));
  expect((await files()).filter(file => !before.includes(file))).toEqual([
    'runs/run/tokens',
    ...inputs.rounds.map((_, round) => `runs/run/tokens/phase-1.1.2.${round}.jsonl`),
  ]);
  for (const [round, sampled] of groups.entries()) {
    const measured = (await measuredTokens(small.store, STAGE, 2, round))!;
    expect(measured.map(({ id, policy }) => [id, policy])).toEqual(sampled.map(({ id }) => [id, inputs.parent.name]));
    const expected = await small.engine.call('score', {
      groups: sampled.map(({ promptIds, responses }) => ({ promptIds, responses: responses.map(({ ids }) => ids) })),
      ...{ temperature: 1, entropies: true },
    });
    expect(measured.map(({ logprobs }) => logprobs)).toEqual(rounded(expected.logprobs));
    expect(measured.map(({ entropies }) => entropies)).toEqual(rounded(expected.entropies!));
  }
});

test('of a step trained within the nucleus: among the tokens that its sampler kept, and no others', async () => {
  Object.assign(small.spec.rl, { truncatedLogprobs: true });
  await driveRun(small);
  const record = await recordOf(1);
  const [[{ promptIds, responses }]] = (await groupsOf(1)) as [[RolloutGroup]];
  await measureTokens(small.deps, record, unsupervised());
  const [measured] = (await measuredTokens(small.store, STAGE, 1, 0))!;
  const groups = [{ promptIds, responses: responses.map(({ ids }) => ids) }];
  const within = await small.engine.call('score', {
    ...{ groups, temperature: 1, truncation: { topP: 0.95, topK: 0 }, entropies: true },
  });
  expect([measured!.logprobs]).toEqual(rounded(within.logprobs));
  expect([measured!.entropies]).toEqual(rounded(within.entropies!));
});

const rounded = (values: number[][][]) =>
  values.map(group => group.map(response => response.map(value => Number(value.toPrecision(8)))));

test('once: what is there is asked of no engine', async () => {
  await driveRun(small);
  const record = await recordOf(1);
  expect(await isMeasured(small.store, record)).toBe(false);
  await measureTokens(small.deps, record, unsupervised());
  expect(await isMeasured(small.store, record)).toBe(true);
  const calls = small.engine.calls.length;
  expect(await measureTokens(small.deps, record, unsupervised())).toBe(0);
  expect(small.engine.calls).toHaveLength(calls);
});

test('a training service tells no distributions, and of it none is kept', async () => {
  await driveRun(small);
  const { engine } = small;
  const call: typeof engine.call = async (operation, request, options) => {
    const result = await engine.call(operation, request, options);
    return operation === 'score' ? { ...result, entropies: undefined } : result;
  };
  await measureTokens({ ...small.deps, engine: { call, close: async () => {} } }, await recordOf(1), unsupervised());
  const [group] = (await measuredTokens(small.store, STAGE, 1, 0))!;
  expect(group).toMatchObject<Partial<MeasuredGroup>>({ entropies: null, logprobs: expect.any(Array) });
});

test('a piece of text has the sum of its tokens, and no value that nobody knows', () => {
  // Two tokens a character.
  const model = { documentText: (ids: readonly number[]) => Buffer.from(ids).toString('utf8') };
  const ids = [...Buffer.from('aß')];
  expect(tokensOf(model, ids, { logprob: [-1, -2, -4], entropy: [1, 2, 3], trainer: undefined })).toEqual([
    { text: 'a', logprob: -1, entropy: 1 },
    { text: 'ß', logprob: -6, entropy: 5 },
  ]);
});
