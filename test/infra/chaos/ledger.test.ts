/** The books of a run: what they find missing, twice or out of place, and what a damaged file held before. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { losses } from '../../../infra/chaos/injuries.js';
import { readLedger } from '../../../infra/chaos/ledger.js';
import { flipBit } from '../../../infra/chaos/stores/folder.js';

let store: string;
beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), 'longhaul-books-'));
});
afterEach(() => rm(store, { recursive: true }));

async function write(path: string, ...values: unknown[]): Promise<void> {
  const file = join(store, 'runs/r', path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, values.map(value => `${JSON.stringify(value)}\n`).join(''));
}

const uriOf = (path: string) => ({ uri: `store:runs/r/${path}` });

/** A step of phase 1 that draws the two groups from the cursor on. */
async function step(
  number: number,
  parent: string,
  name: string,
  { cursor = 2 * (number - 1), policy = parent, sampler = '' } = {},
) {
  const folder = `phase-1/1/steps/${number}`;
  const groups = [cursor, cursor + 1].map(at => ({ id: `s${at}`, cursor: at, policy, responses: [{}, {}] }));
  const [rollouts, scores] = [`${folder}/rollouts-0.jsonl`, `${folder}/scores-0.jsonl`];
  await write(rollouts, ...groups);
  await write(scores, ...groups.map(({ id, responses }) => ({ id, responses })));
  const rounds = [{ rollouts: uriOf(rollouts), scores: uriOf(scores) }];
  await write(`${folder}/update.json`, {
    inputs: { parent: { name: parent }, rounds, ...(sampler && { sampler: { name: sampler } }) },
    result: { name },
  });
}

beforeEach(async () => {
  await write('base.json', { name: 'base' });
  await step(1, 'base', 'p1');
  await step(2, 'p1', 'p2');
});

test('of a whole run are in order, and count it', async () => {
  expect(await readLedger(store, 'r')).toEqual({ steps: 2, groups: 4, responses: 8, errors: [] });
});

test('of rollouts beside the update before are sampled by the policy before that', async () => {
  await step(2, 'p1', 'p2', { policy: 'base', sampler: 'base' });
  await step(3, 'p2', 'p3', { policy: 'p1', sampler: 'p1' });
  expect((await readLedger(store, 'r')).errors).toEqual([]);
});

test.each<[string, () => Promise<void>, RegExp]>([
  [
    'an older policy sampled than was to',
    async () => {
      await step(2, 'p1', 'p2');
      await step(3, 'p2', 'p3', { policy: 'base', sampler: 'base' });
    },
    /step 3 was sampled by base; the step before began with p1/,
  ],
  [
    'a step is missing',
    () => rm(join(store, 'runs/r/phase-1/1/steps/1'), { recursive: true }),
    /step 1 is not in the log/,
  ],
  ['a step begins elsewhere', () => step(2, 'p9', 'p2'), /begins from policy p9; the step before ended in p1/],
  ['groups were drawn twice', () => step(2, 'p1', 'p2', { cursor: 1 }), /draw 1 of the phase, expected 2/],
  [
    'another policy sampled',
    () => step(2, 'p1', 'p2', { policy: 'base' }),
    /sampled by base, not the step's own policy/,
  ],
  ['a second result was kept', () => write('phase-1/1/steps/2/update.json.diverged-0', {}), /a second, other result/],
  [
    'rollouts went nowhere',
    () => write('phase-1/1/steps/2/rollouts-1.jsonl', {}),
    /rollouts-1.jsonl went into no update/,
  ],
  [
    'a verdict is missing',
    () => write('phase-1/1/steps/2/scores-0.jsonl', { id: 's2', responses: [{}, {}] }),
    /1 verdicts on 2 groups/,
  ],
])('say where %s', async (_, happens, error) => {
  await happens();
  expect((await readLedger(store, 'r')).errors.join('\n')).toMatch(error);
});

test('go by what a damaged file held, where nobody came to read it and had it made again', async () => {
  const whole = await readLedger(store, 'r');
  const path = 'runs/r/phase-1/1/steps/2/update.json';
  const before = await readFile(join(store, path));
  const injury = await flipBit(store, path, 0);
  await expect(readLedger(store, 'r')).rejects.toThrow(SyntaxError);
  const lost = await losses(store, [injury]);
  expect(lost).toEqual(new Map([[join(store, path), before]]));
  expect(await readLedger(store, 'r', lost)).toEqual(whole);
  await writeFile(join(store, path), before);
  expect(await losses(store, [injury])).toEqual(new Map());
});
