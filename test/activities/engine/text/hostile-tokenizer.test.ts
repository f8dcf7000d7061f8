/** Tokenizer files from outside, damaged in every way a seed can think of: refused with the file's name, or usable. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineRequestError } from '../../../../activities/engine/protocol/index.js';
import { type RandomStream, randomStream } from '../../../../activities/engine/random.js';
import { loadTokenizer } from '../../../../activities/engine/text/tokenizer.js';
import { goldenFolder } from '../../../support/golden.js';

const TEXT = 'Ada Lind was born in Voss. 12 < 13';
const VALUES: unknown[] = [null, 0, -1, 1e308, '', 'x', [], {}, [null], { type: 'Nothing' }, true, 'toString'];

let folder: string;
beforeEach(async () => {
  jest.spyOn(console, 'warn').mockReturnValue(undefined); // the library's own remarks
  folder = await mkdtemp(join(tmpdir(), 'longhaul-hostile-'));
  for (const file of ['config.json', 'tokenizer_config.json']) {
    await writeFile(join(folder, file), await readFile(join(goldenFolder('qwen3'), file)));
  }
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** Replaces or removes one value at a seeded place. */
function damaged(json: unknown, random: RandomStream): unknown {
  const root = { json: structuredClone(json) } as Record<string, unknown>;
  let [place, key]: [Record<string, unknown>, string] = [root, 'json'];
  for (;;) {
    const inner = place[key];
    const keys = typeof inner === 'object' && inner !== null ? Object.keys(inner) : [];
    if (keys.length === 0 || (place !== root && random.below(4) === 0)) break;
    // Long lists and vocabularies are all alike: their beginning will do.
    [place, key] = [inner as Record<string, unknown>, keys[random.below(Math.min(keys.length, 12))]!];
  }
  if (random.below(3) === 0) delete place[key];
  else place[key] = VALUES[random.below(VALUES.length)];
  return root.json;
}

async function outcome(): Promise<'refused' | 'usable'> {
  try {
    const tokenizer = await loadTokenizer(folder);
    tokenizer.decode(tokenizer.encode(TEXT));
    return 'usable';
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    expect(error.message).toContain(folder);
    return 'refused';
  }
}

test('each of 400 damaged files is refused by name, or usable', async () => {
  const sound = JSON.parse(await readFile(join(goldenFolder('qwen3'), 'tokenizer.json'), 'utf8'));
  const seen = { refused: 0, usable: 0 };
  for (let k = 0; k < 400; k++) {
    const text = JSON.stringify(damaged(sound, randomStream('hostile tokenizer', k))) ?? '';
    await writeFile(join(folder, 'tokenizer.json'), text);
    try {
      seen[await outcome()]++;
    } catch (error) {
      throw new Error(`damage ${k}: ${(error as Error).stack}`);
    }
  }
  expect(seen.refused).toBeGreaterThan(50);
  expect(seen.usable).toBeGreaterThan(50);
});

test('cut short anywhere, it is refused', async () => {
  const bytes = await readFile(join(goldenFolder('qwen3'), 'tokenizer.json'));
  for (let length = 0; length < bytes.length - 2; length += 997) {
    await writeFile(join(folder, 'tokenizer.json'), bytes.subarray(0, length));
    expect(await outcome()).toBe('refused');
  }
});

test('the sound file is usable', async () => {
  await writeFile(join(folder, 'tokenizer.json'), await readFile(join(goldenFolder('qwen3'), 'tokenizer.json')));
  expect(await outcome()).toBe('usable');
});
