/** Which prompts are computed together. That each has its own bits then is generate.test.ts's. */
import { readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { activationBytes, RotaryTable, tileOf } from '../../../../activities/engine/model';
import { Prefill } from '../../../../activities/engine/sampling/prefill';
import { goldenFolder } from '../../../support/golden';

async function prefill(tokensOfMemory?: number): Promise<Prefill> {
  const { config } = await readModelFolder(goldenFolder('qwen2'));
  // A layer may take an eighth of it.
  const memory = tokensOfMemory && 8 * activationBytes(config, tokensOfMemory, 1);
  return new Prefill(config, new RotaryTable(config), { threads: 1, ...(memory && { memory }) });
}

test('each prompt is in one set, with others of its tiles, up to 4,096 tokens', async () => {
  const lengths = [300, 5000, 120, 1000, 4000, 90, 1000, 2, 1024, 1000, 300];
  const sets = (await prefill()).together(lengths);
  expect(sets.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
  for (const set of sets) {
    expect(new Set(set.map(i => tileOf(lengths[i]!))).size).toBe(1);
    expect(set.length === 1 || set.reduce((sum, i) => sum + lengths[i]!, 0) <= 4096).toBe(true);
  }
  // 5,000 and 4,000 are of one tile; four of about 1,000 fit, of small ones all.
  expect(sets).toEqual([[0, 2, 5, 7, 10], [1], [3, 6, 8, 9], [4]]);
});

test('fewer where there is little memory, one at least', async () => {
  expect((await prefill(500)).together([300, 200, 100, 90])).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect((await prefill(10)).together([300, 200])).toEqual([[0], [1]]);
});

test('none of none', async () => {
  expect((await prefill()).together([])).toEqual([]);
});
