/** Data files that would exhaust who reads them: refused by name. The limits are lowered here, and the files modest. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError, type RawRecord } from '../../../activities/datasets/records.js';
import { openSource, sourceSchema } from '../../../activities/datasets/sources.js';
import { csvRows, jsonArray, jsonLines, jsonValues, type TextFile } from '../../../activities/datasets/text-records.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-hostile-'));
});
afterEach(() => rm(folder, { recursive: true }));

const KINDS = { jsonLines, jsonArray, jsonValues, csvRows };
const LIMITS = { record: 100_000, times: 20, from: 10_000 };

async function count(kind: keyof typeof KINDS, text: string, limits: Partial<typeof LIMITS>, gzipped = true) {
  const file: TextFile = { path: join(folder, 'x'), name: 'x', gzipped, encoding: 'utf-8' };
  await writeFile(file.path, gzipped ? gzipSync(text) : text);
  const records: RawRecord[] = [];
  for await (const record of KINDS[kind](file, { ...LIMITS, ...limits })) records.push(record);
  return records.length;
}

/** 36,000 letters that pack to a hundred or so bytes. */
const EVEN = JSON.stringify({ question: 'Who? '.repeat(7_200) });

test.each<[keyof typeof KINDS, string, number]>([
  ['jsonLines', `${EVEN}\n`, 1],
  ['jsonLines', '\n'.repeat(36_000), 0],
  ['jsonArray', `[${EVEN}]`, 1],
  ['jsonArray', `[${' '.repeat(36_000)}]`, 0],
  ['jsonValues', `{"a": ${EVEN}}`, 1],
  ['csvRows', `question\n${'Who? '.repeat(7_200)}\n`, 1],
])('%s: a gzip file that unpacks to more times its size than it may', async (kind, text, records) => {
  const failure = count(kind, text, {});
  await expect(failure).rejects.toThrow(DataError);
  await expect(failure).rejects.toThrow('x: expected a gzip file that unpacks to at most 20 times its size');
  // Within either bound it is read.
  expect(await count(kind, text, { times: 1000 })).toBe(records);
  expect(await count(kind, text, { from: 40_000 })).toBe(records);
  expect(await count(kind, text, {}, false)).toBe(records);
});

test.each<[keyof typeof KINDS, string, RegExp]>([
  ['jsonLines', EVEN, /x: expected records of at most 20000 characters, found a longer one/],
  ['jsonArray', `[${EVEN}`, /x: expected records of at most 20000 characters, found a longer one/],
  [
    'csvRows',
    `question\n${'Who? '.repeat(7_200)}\n`,
    /x: expected records of at most 20000 characters, found a longer one/,
  ],
])('%s: a record longer than it may be', async (kind, text, message) => {
  const failure = count(kind, text, { record: 20_000 }, false);
  await expect(failure).rejects.toThrow(DataError);
  await expect(failure).rejects.toThrow(message);
});

test.each([
  ['[', ']'],
  ['{"a":', '}'],
])('a value nested by %s where a text belongs is refused by its line', async (opening, closing) => {
  const read = async (name: string, onMalformed: 'stop' | 'skip' = 'stop') => {
    const source = sourceSchema.parse({ type: 'jsonl', path: join(folder, name), onMalformed });
    let samples = 0;
    for await (const _ of openSource(source, { cacheDir: folder }).samples) samples++;
    return samples;
  };
  const nested = `${opening.repeat(60)}1${closing.repeat(60)}`;
  const record = { question: 'Who?', context: 'Ann.', answer: 'Ann' };
  await writeFile(
    join(folder, 'nested.jsonl'),
    `${JSON.stringify(record)}\n${JSON.stringify(record).replace('"Ann"', nested)}\n`,
  );
  await expect(read('nested.jsonl')).rejects.toThrow(/nested\.jsonl: line 2: /);
  expect(await read('nested.jsonl', 'skip')).toBe(1);
  await writeFile(join(folder, 'nested.json'), `[${nested}]`);
  await expect(read('nested.json')).rejects.toThrow(/nested\.json: record 0 \(line 1\): /);
});
