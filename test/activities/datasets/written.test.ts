/** The same questions as the tools that people use write them: test/fixtures/datasets/written, with the script that made them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSource, type Sample, sourceSchema } from '../../../activities/datasets/sources.js';
import { NO_CACHE } from '../../support/no-cache.js';

const FOLDER = join(__dirname, '../../fixtures/datasets/written');

async function read(name: string) {
  const opened = openSource(sourceSchema.parse({ type: 'jsonl', path: join(FOLDER, name) }), NO_CACHE);
  const samples: Sample[] = [];
  for await (const sample of opened.samples) samples.push(sample);
  return { samples, summary: opened.summary() };
}

const QUESTIONS = ['Who "rows", and why?\nSay both.', 'Which year?', 'Is it "so"'];
const CONTEXTS = ['Ann rows; the pipe is 6" wide, ü天.', 'It was 1999.', '"Puig" plush; or not, NaN'];
const IDS = ['7', '12345678901234567', '9'];
/** Numbers as numbers are written; in a table of text as the tool wrote them there. */
const ANSWERS = [['42'], ['1999'], ['0.5']];
const AS_TEXT = [['42.0'], ['1999.0'], ['0.5']];
const AS_DECIMAL = [['42.000'], ['1999.000'], ['0.500']];

const isTable = (name: string) => /\.[ct]sv(\.gz)?$/.test(name);
const answersIn = (name: string): string[][] => {
  if (name.includes('float32')) return [['42'], ['1999'], ['0.1']];
  if (name.startsWith('nested')) return [['42'], ['1999'], ['0.5', '1/2']];
  return !isTable(name) ? ANSWERS : name.startsWith('duckdb') ? AS_DECIMAL : AS_TEXT;
};

/** What is passed over, beside the level. */
const FURTHER: Record<string, Record<string, number>> = {
  'pandas-index.csv': { '': 3 },
  'pandas-table.json': { index: 3 },
  'pandas-index.parquet': { __index_level_0__: 3, seen: 3 },
  'duckdb-types.parquet': { key: 3, huge: 3, kind: 3 },
  'python-nan.jsonl': { x: 3 },
};

test.each(readdirSync(FOLDER).filter(name => !name.endsWith('.py')))('%s', async name => {
  const { samples, summary } = await read(name);
  // JSON's keys that look like small numbers come first.
  if (name.includes('by-id')) samples.splice(1, 2, samples[2]!, samples[1]!);
  expect(samples.map(s => s.id)).toEqual(IDS);
  expect(samples.map(s => s.question)).toEqual(QUESTIONS);
  expect(samples.map(s => s.documents[0]!.text)).toEqual(CONTEXTS);
  expect(samples.map(s => s.answers)).toEqual(answersIn(name));
  if (name.startsWith('nested')) {
    expect(samples.map(s => [s.documents.length, s.documents[0]!.title])).toEqual([
      [1, null],
      [1, 'A'],
      [1, 'B'],
    ]);
    expect(samples.map(s => s.evidence)).toEqual([[0], null, []]);
    expect(summary.passedOver).toEqual({ when: 2, price: 2, vector: 2, more: 2 });
    return;
  }
  const levels = name === 'python-nan.jsonl' ? {} : { level: name === 'pandas-all-quoted.csv' ? 3 : 2 };
  expect(summary.passedOver).toEqual({ ...levels, ...FURTHER[name] });
  // Table cells are texts; Python's text for a long integer is none.
  expect(summary.readAsText).toEqual(isTable(name) ? undefined : expect.objectContaining({ answer: 3 }));
});
