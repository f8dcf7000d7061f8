import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError, openSource, type Sample, sourceSchema } from '../../../activities/datasets/sources.js';
import { NO_CACHE } from '../../support/no-cache.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'containers-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (source: Record<string, unknown>) =>
  openSource(sourceSchema.parse({ type: 'jsonl', ...source }), NO_CACHE);
async function read(path: string, options: Record<string, unknown> = {}) {
  const opened = open({ path, ...options });
  const samples: Sample[] = [];
  for await (const sample of opened.samples) samples.push(sample);
  return { samples, ids: samples.map(sample => sample.id), summary: opened.summary() };
}
async function refusal(path: string, options: Record<string, unknown> = {}): Promise<string> {
  const error = await read(path, options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}
function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const record = (id: string, question = 'Who?') => ({ id, question, context: 'Ann did.', answer: 'Ann' });
const line = (id: string, question?: string) => `${JSON.stringify(record(id, question))}\n`;

describe('one set of records in each container', () => {
  const two = [record('a'), record('b', 'Why, "so"?\nOr not?')];
  test.each<[string, string | Buffer]>([
    ['x.jsonl', two.map(r => JSON.stringify(r)).join('\n')],
    ['crlf.jsonl', two.map(r => `${JSON.stringify(r)}\r\n\r\n`).join('')],
    ['x.json', JSON.stringify(two, null, 2)],
    ['mark.json', `\uFEFF\n ${JSON.stringify(two)}`],
    ['lines.json', two.map(r => JSON.stringify(r)).join('\n')],
    ['x.jsonl.gz', gzipSync(two.map(r => JSON.stringify(r)).join('\n'))],
    ['x.json.gz', gzipSync(JSON.stringify(two))],
    ['x.csv', 'id,question,context,answer,trace\na,Who?,Ann did.,Ann,\nb,"Why, ""so""?\nOr not?",Ann did.,Ann,\n'],
    ['x.tsv', 'id\tquestion\tcontext\tanswer\na\tWho?\tAnn did.\tAnn\nb\t"Why, ""so""?\nOr not?"\tAnn did.\tAnn\n'],
    ['x.csv.gz', gzipSync('id,question,context,answer\na,Who?,Ann did.,Ann\nb,"Why, ""so""?\nOr not?",Ann did.,Ann\n')],
  ])('%s', async (name, content) => {
    const { samples } = await read(file(name, content));
    expect(samples.map(s => [s.id, s.question, s.answers])).toEqual([
      ['a', 'Who?', ['Ann']],
      ['b', 'Why, "so"?\nOr not?', ['Ann']],
    ]);
  });

  test('x.parquet', async () => {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    const columnData = (['id', 'question', 'context', 'answer'] as const).map(name => ({
      name,
      data: two.map(r => r[name]),
      type: 'STRING' as const,
    }));
    const { ids } = await read(file('x.parquet', Buffer.from(parquetWriteBuffer({ columnData }))));
    expect(ids).toEqual(['a', 'b']);
  });
});

test('only a line end ends a line: separators within strings do not', async () => {
  const question = 'One\u2028two\u2029three\u0085four?';
  const { samples } = await read(file('separators.jsonl', `${line('a', question)}${line('b')}`));
  expect(samples.map(s => s.question)).toEqual([question, 'Who?']);
});

test('characters and lines across the pieces a file is read in', async () => {
  const questions = Array.from({ length: 400 }, (_, k) => `${'天ü😀'.repeat(k)}?`);
  const lines = questions.map((question, k) => line(`q${k}`, question)).join('');
  for (const [name, content] of [
    ['long.jsonl', lines],
    ['long.jsonl.gz', gzipSync(lines)],
  ] as const) {
    expect((await read(file(name, content))).samples.map(s => s.question)).toEqual(questions);
  }
});

test.each<[string, string | Buffer, RegExp]>([
  ['latin.jsonl', Buffer.from(line('caf\xe9'), 'latin1'), /latin\.jsonl: expected text in UTF-8/],
  ['cut.jsonl.gz', gzipSync(line('a').repeat(50)).subarray(0, 60), /cut\.jsonl\.gz: expected a whole gzip file/],
  ['called.jsonl.gz', line('a'), /expected a gzip file, as it is called/],
  ['called.parquet', line('a'), /expected a parquet file, as it is called/],
  ['x.zip', 'PK\x03\x04rest', /found a zip archive: unpack it first/],
  [
    'uneven.csv',
    'id,question\na\n',
    /uneven\.csv: record 0 \(line 2\): expected CSV: 2 cells, as the header has, found 1/,
  ],
  ['pretty.json', '{\n "id": "a"\n}', /pretty\.json: record 0 \(line 1\): field question: /],
  ['broken.json', '{\n "id": a\n}', /broken\.json: record 0 \(line 1\): expected JSON: /],
  ['x.arrow', 'ARROW1\0\0', /found an Arrow file: write it as Parquet/],
  ['x.xlsx', 'PK\x03\x04rest', /found an Excel workbook: save the sheet as "CSV UTF-8"/],
])('%s is refused', async (name, content, message) => {
  expect(await refusal(file(name, content))).toMatch(message);
});

describe('folders', () => {
  beforeEach(() => {
    file('b.jsonl', line('b'));
    file('a.jsonl', line('a'));
    file('c.txt', 'no data');
    file('.hidden.jsonl', 'no data');
    mkdirSync(join(folder, 'below.jsonl'));
  });

  test('their data files by name', async () => {
    const { ids, summary } = await read(folder);
    expect(ids).toEqual(['a', 'b']);
    expect(summary).toEqual({
      source: folder,
      samples: 2,
      leftOut: 0,
      skippedCount: 0,
      skipped: [],
      files: ['a', 'b'].map(id => ({
        path: join(folder, `${id}.jsonl`),
        sha256: createHash('sha256').update(line(id)).digest('hex'),
        bytes: line(id).length,
      })),
    });
  });

  test('a name with * takes what it matches, whatever its ending', async () => {
    file('c.txt', line('c'));
    expect((await read(join(folder, '*.txt'))).ids).toEqual(['c']);
    expect(await read(join(folder, '[ab].jsonl')).catch((e: Error) => e.message)).toMatch(/there is nothing/);
  });

  test('ranges go over all of the files', async () => {
    expect((await read(folder, { from: 1 })).ids).toEqual(['b']);
    const { ids, summary } = await read(folder, { to: 1 });
    expect(ids).toEqual(['a']);
    expect(summary.files).toHaveLength(2);
  });

  test('records without an id are named by their place in the source', async () => {
    const { id: _, ...nameless } = record('');
    file('a.jsonl', `${JSON.stringify(nameless)}\n`);
    file('b.jsonl', `${JSON.stringify(nameless)}\n`);
    expect((await read(folder)).ids).toEqual(['record-1', 'record-2']);
  });

  test('nothing there', async () => {
    expect(await refusal(join(folder, 'none'))).toMatch(/expected a data file, a folder of them, or hf:/);
    expect(await refusal(join(folder, 'z*'))).toMatch(/ending in .*; there is none/);
    expect(await refusal(join(folder, 'a.jsonl', 'x'))).toMatch(/there is nothing/);
  });
});

describe('malformed records', () => {
  const content = `${line('a')}nonsense\n${line('a')}{"id": "c", "question": 3}\n${line('d')}`;

  test('the first one ends the run, with its place', async () => {
    expect(await refusal(file('x.jsonl', content))).toMatch(/x\.jsonl: line 2: expected JSON/);
  });

  test('or they are left out, counted and named', async () => {
    const path = file('x.jsonl', content);
    const { ids, summary } = await read(path, { onMalformed: 'skip' });
    expect(ids).toEqual(['a', 'd']);
    expect([summary.samples, summary.skippedCount]).toEqual([2, 3]);
    expect(summary.skipped).toEqual([
      { where: `${path}: line 2`, problem: expect.stringMatching(/^expected JSON: /) },
      { where: `${path}: line 3`, problem: 'expected every id once, found "a" again' },
      { where: `${path}: line 4`, problem: expect.stringMatching(/^.*field question: /) },
    ]);
  });

  test('the first twenty are named, all are counted', async () => {
    const { summary } = await read(file('x.jsonl', 'nonsense\n'.repeat(50)), { onMalformed: 'skip' });
    expect([summary.skipped.length, summary.skippedCount]).toEqual([20, 50]);
  });

  test('a file that is cut short ends the run all the same', async () => {
    const path = file('x.json', `[${JSON.stringify(record('a'))}, {"id": `);
    expect(await refusal(path, { onMalformed: 'skip' })).toMatch(/the file is cut short/);
  });
});

/** The second of three is broken, in each way that its container has. */
describe('one bad record is one bad record', () => {
  const json = [record('a'), record('b'), record('c')].map(r => JSON.stringify(r));
  const head = 'id,question,context,answer';
  const row = (id: string) => `${id},Who?,Ann did.,Ann`;
  test.each<[string, string, RegExp]>([
    ['cut.jsonl', `${json[0]}\n${json[1]!.slice(0, 30)}\n${json[2]}\n`, /line 2: expected JSON/],
    ['cut-first.jsonl', `${json[1]!.slice(0, 30)}\n${json[0]}\n${json[2]}\n`, /line 1: expected JSON/],
    ['cut-at-a-comma.jsonl', `{"id": "b",\n${json[0]}\n${json[2]}\n`, /line 1: expected JSON/],
    ['x.json', `[${json[0]},\n{"id": b},\n${json[2]}]`, /record 1 \(line 2\): expected JSON/],
    ['values.json', `{\n${json[0]!.slice(1)}\n{"id": b}\n${json[2]}`, /record 1 \(line 3\): expected JSON/],
    ['no-commas.json', `[\n${json[0]}\n{"id": b}\n${json[2]}\n]`, /record 1 \(line 3\): expected JSON/],
    ['inside.json', `{"data": [${json[0]}, 3, ${json[2]}]}`, /record 1 of "data": /],
    ['by-id.json', `{"a": ${json[0]}, "b": 3, "c": ${json[2]}}`, /record 1 \("b"\): /],
    [
      'quote.csv',
      `${head}\n${row('a')}\nb,"Who,Ann did.,Ann\n${row('c')}\n`,
      /record 1 \(line 3\): expected CSV: a quotation mark opens/,
    ],
    [
      'quote-later.csv',
      `${head}\n${row('a')}\nb,"Who,Ann did.,Ann\n${row('c').replace('Ann did.', '"Ann, did"')}\n`,
      /record 1 \(line 3\)/,
    ],
    [
      'quote-closed-later.csv',
      `${head}\n${row('a')}\nb,"Who,Ann did.,Ann\n${row('c')}\n"d",W,A,"A"\n`,
      /record 1 \(line 3\)/,
    ],
    [
      'short.csv',
      `${head}\n${row('a')}\nb,Who?\n${row('c')}\n`,
      /record 1 \(line 3\): expected CSV: 4 cells, as the header has, found 2/,
    ],
    ['long.csv', `${head}\n${row('a')}\nb,Who, I say?,Ann did.,Ann\n${row('c')}\n`, /found 5/],
    ['short.tsv', `${head}\n${row('a')}\nb,"Who?\n${row('c')}\n`.replaceAll(',', '\t'), /found 2/],
    ['empty.csv', `${head}\n${row('a')}\nb,,Ann did.,Ann\n${row('c')}\n`, /record 1 \(line 3\): field question: /],
  ])('%s', async (name, content, problem) => {
    const path = file(name, content);
    expect(await refusal(path)).toMatch(problem);
    const { ids, summary } = await read(path, { onMalformed: 'skip' });
    expect(ids).toEqual(name === 'quote-closed-later.csv' ? ['a', 'c', 'd'] : ['a', 'c']);
    expect([summary.skippedCount, summary.skipped.length]).toEqual([1, 1]);
    expect(`${summary.skipped[0]!.where}: ${summary.skipped[0]!.problem}`).toMatch(problem);
  });

  test('null.parquet', async () => {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    const column = (name: string, data: (string | null)[]) => ({ name, data, type: 'STRING' as const, nullable: true });
    const columnData = [
      column('id', ['a', 'b', 'c']),
      column('question', ['q', null, 'q']),
      column('context', ['x', 'x', 'x']),
      column('answer', ['1', '2', '3']),
    ];
    const path = file('null.parquet', Buffer.from(parquetWriteBuffer({ columnData })));
    expect(await refusal(path)).toMatch(/null\.parquet: row 1: field question: /);
    expect((await read(path, { onMalformed: 'skip' })).ids).toEqual(['a', 'c']);
  });
});

test('a field of a list in a table is a list in JSON, or one text', async () => {
  const rows = [
    'id,question,documents,answers,evidence',
    `a,Who?,"[""x"", {""title"": null, ""text"": ""y""}]","[""1"", 2]",[1]`,
    'b,Who?,"[""x""]",one,',
  ];
  const { samples } = await read(file('lists.csv', rows.join('\n')));
  expect(samples.map(s => [s.documents.map(d => d.text), s.answers, s.evidence])).toEqual([
    [['x', 'y'], ['1', '2'], [1]],
    [['x'], ['one'], null],
  ]);
});

test('several lists of records in one object are named', async () => {
  const path = file('split.json', JSON.stringify({ train: [record('a')], test: [record('b')] }));
  expect(await refusal(path)).toMatch(
    /split\.json: line 1: expected one list of records, found train, test: give each a file/,
  );
});

test('descriptions that `datasets` leaves beside data are none; what save_to_disk leaves is named', async () => {
  file('a.jsonl', line('a'));
  file('dataset_infos.json', '{}');
  expect((await read(folder)).ids).toEqual(['a']);
  const saved = join(folder, 'saved');
  mkdirSync(saved);
  for (const name of ['data-00000-of-00001.arrow', 'dataset_info.json', 'state.json'])
    writeFileSync(join(saved, name), '{}');
  expect(await refusal(saved)).toMatch(/there is none \(a folder of save_to_disk: write it with to_parquet\)/);
});

test('a file that changes while it is read', async () => {
  const path = file('x.jsonl', line('a') + line('b'));
  const opened = open({ path });
  const all = async () => {
    for await (const _ of opened.samples) utimesSync(path, 1, 1);
  };
  await expect(all()).rejects.toThrow(/x\.jsonl: expected the file to stay as it is while it is read/);
  expect(readFileSync(path, 'utf8')).toBe(line('a') + line('b'));
});

test('an abort ends the reading', async () => {
  const abort = new AbortController();
  const path = file('x.jsonl', line('a') + line('b'));
  const { samples } = openSource(sourceSchema.parse({ type: 'jsonl', path }), { ...NO_CACHE, signal: abort.signal });
  const all = async () => {
    for await (const _ of samples) abort.abort();
  };
  await expect(all()).rejects.toHaveProperty('name', 'AbortError');
});
