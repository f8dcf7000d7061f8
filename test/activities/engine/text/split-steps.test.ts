/** Which steps of a tokenizer.json are refused because the library would do something else. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unfollowedSplit } from '../../../../activities/engine/text/split-steps';
import { loadTokenizer } from '../../../../activities/engine/text/tokenizer';

const split = (behavior: string, pattern: object, invert = false) => ({ type: 'Split', pattern, behavior, invert });
const [regex, string] = [{ Regex: '-' }, { String: '-' }];

test.each([
  [split('Isolated', regex), null],
  [split('Isolated', string), null],
  [split('Removed', regex), null],
  [split('Removed', regex, true), null],
  [split('Removed', string), "Split by a String, behavior 'Removed'"],
  [split('Isolated', regex, true), "Split by a Regex, behavior 'Isolated', invert"],
  [split('MergedWithPrevious', regex), "Split by a Regex, behavior 'MergedWithPrevious'"],
  [split('MergedWithNext', regex), "Split by a Regex, behavior 'MergedWithNext'"],
  [split('Contiguous', regex), "Split by a Regex, behavior 'Contiguous'"],
  [{ type: 'Sequence', pretokenizers: [{ type: 'Digits' }, split('Contiguous', regex)] }, /Contiguous/],
  [{ type: 'ByteLevel', add_prefix_space: false }, null],
  [null, null],
  [undefined, null],
])('%j', (step, found) => {
  if (found instanceof RegExp) expect(unfollowedSplit(step)).toMatch(found);
  else expect(unfollowedSplit(step)).toBe(found);
});

test('a folder with such a step is refused by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-split-'));
  try {
    await cp(join(__dirname, '../../../fixtures/golden/qwen2'), folder, { recursive: true });
    const path = join(folder, 'tokenizer.json');
    const json = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...json, pre_tokenizer: split('MergedWithNext', regex) }));
    await expect(loadTokenizer(folder)).rejects.toThrow(
      /tokenizer\.json: pre_tokenizer has a Split by a Regex, behavior 'MergedWithNext', which is not supported/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
