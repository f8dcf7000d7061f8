import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColumnSource } from 'hyparquet-writer';
import { readParquet } from '../../../activities/datasets/parquet.js';
import { checkedFooter } from '../../../activities/datasets/parquet-checks.js';
import { checkDeltas } from '../../../activities/datasets/parquet-deltas.js';
import { Refusal, Runs } from '../../../activities/datasets/parquet-runs.js';
import { DataError, type RawRecord } from '../../../activities/datasets/records.js';
import { randomStream } from '../../../activities/engine/random.js';

const FIXTURES = join(__dirname, '../../fixtures/datasets');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: Buffer): Promise<RawRecord[]> {
  const path = join(folder, 'x.parquet');
  writeFileSync(path, bytes);
  const records: RawRecord[] = [];
  for await (const record of readParquet({ path, name: 'x.parquet' })) records.push(record);
  return records;
}

/** The message of the refusal, or null where the file was read. */
async function refusal(bytes: Buffer): Promise<string | null> {
  try {
    await read(bytes);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
}

async function written(
  columnData: ColumnSource[],
  codec: 'SNAPPY' | 'UNCOMPRESSED',
  rowGroupSize = 4,
): Promise<Buffer> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  return Buffer.from(parquetWriteBuffer({ columnData, codec, rowGroupSize }));
}

const texts = Array.from({ length: 10 }, (_, k) => `text ${k} – ü`);

test('row groups one after another, in the order of the file, integers as numbers, nulls as what is not there', async () => {
  const bytes = await written(
    [
      { name: 'text', data: texts, type: 'STRING' },
      { name: 'count', data: texts.map((_, k) => BigInt(k) * 10n ** 14n), type: 'INT64' },
      { name: 'maybe', data: texts.map((_, k) => (k % 3 === 0 ? null : k % 2 === 0)), type: 'BOOLEAN', nullable: true },
    ],
    'SNAPPY',
  );
  expect(await read(bytes)).toEqual(
    texts.map((text, k) => ({
      where: `x.parquet: row ${k}`,
      index: k,
      value: { text, count: k * 1e14, ...(k % 3 === 0 ? {} : { maybe: k % 2 === 0 }) },
    })),
  );
});

test('an integer that a number cannot hold is its digits', async () => {
  const rows = await read(await written([{ name: 'n', data: [1n, 2n ** 60n, 3n], type: 'INT64' }], 'SNAPPY'));
  expect(rows.map(({ value }) => value)).toEqual([{ n: 1 }, { n: String(2n ** 60n) }, { n: 3 }]);
});

test('in a column of JSON a text that is no JSON is that text', async () => {
  const rows = await read(readFileSync(join(FIXTURES, 'mixed-answers.parquet')));
  const answers = ['Ann', '007', 42, ['a', 'b'], undefined];
  expect(rows.map(({ value }) => value)).toEqual(
    answers.map((answer, id) => ({ id, ...(answer !== undefined && { answer }) })),
  );
});

describe('files that are not whole', () => {
  test.each([
    ['empty', '', /it has only 0 bytes/],
    ['another kind', `PK${' '.repeat(40)}`, /it does not begin with PAR1/],
    ['a footer longer than the file', 'PAR1 \xff\xff\xff\x0fPAR1', /its footer says that it has \d+ bytes/],
    ['no footer', 'PAR1\0\0\0\0\0\0\0\0PAR1', /expected a whole Parquet file/],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(Buffer.from(bytes, 'latin1'))).toMatch(message);
  });

  test.each(['hotpotqa-hub.parquet', 'docqa-rl.parquet'])('%s, cut off anywhere', async name => {
    const bytes = readFileSync(join(FIXTURES, name));
    expect(await refusal(bytes)).toBeNull();
    for (let end = 0; end < bytes.length; end += 89) {
      expect(await refusal(bytes.subarray(0, end))).toMatch(/x\.parquet: expected a whole Parquet file: /);
      // What a download that skipped a piece leaves.
      const start = Buffer.concat([bytes.subarray(0, end), bytes.subarray(end + 89)]);
      if (end + 89 < bytes.length) await refusal(start);
    }
  });
});

test('long numbers in the footer are refused, texts of another alphabet are not', async () => {
  // Each letter of it has three bytes with the eighth bit set, as a long number has.
  const title = '東京'.repeat(50);
  const bytes = await written([{ name: title, data: texts, type: 'STRING' }], 'SNAPPY');
  expect((await read(bytes))[0]!.value).toEqual({ [title]: texts[0] });
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  await checkedFooter(file, 300);
  await expect(checkedFooter(file, 299)).rejects.toThrow('a number of more than 299 bytes');
});

describe('bytes at random, as our own readers of pages take them, are refused or counted', () => {
  const ENCODINGS = ['DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY'];

  test.each<[string, (bytes: Uint8Array, values: number, k: number) => number]>([
    ['runs', (bytes, values, k) => new Runs(bytes).count(k % 33, values, k % 3)],
    [
      'deltas',
      (bytes, values, k) => {
        checkDeltas(bytes, ENCODINGS[k % 3]!, values);
        return 0;
      },
    ],
  ])('%s', (name, take) => {
    const random = randomStream('pages', 7, name);
    const seen = { refused: 0, counted: 0 };
    for (let k = 0; k < 3000; k++) {
      const bytes = Uint8Array.from({ length: random.below(60) }, () => random.below(k % 2 ? 256 : 40));
      const values = random.below(k % 5 ? 12 : 5000);
      try {
        const found = take(bytes, values, k);
        expect(found >= 0 && found <= values).toBe(true);
        seen.counted++;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        seen.refused++;
      }
    }
    expect(seen.refused).toBeGreaterThan(100);
    expect(seen.counted).toBeGreaterThan(100);
  });
});

describe('false counts, of which the decoder knows nothing', () => {
  /** Changes the first place where `from` stands; both are of one length. */
  function changed(bytes: Buffer, from: number[], to: number[]): Buffer {
    const at = bytes.indexOf(Buffer.from(from));
    expect(at).toBeGreaterThanOrEqual(0);
    const copy = Buffer.from(bytes);
    copy.set(to, at);
    return copy;
  }

  test('a run of more levels than there are values', async () => {
    // 300 values, none of them null: their levels are one run, of 300 (as 300 << 1, seven bits a byte) ones.
    const data = Array.from({ length: 300 }, (_, k) => `${k}`);
    const column = { name: 'text', data, type: 'STRING', nullable: true } as const;
    const bytes = await written([column], 'UNCOMPRESSED', 300);
    expect(await refusal(bytes)).toBeNull();
    const longer = changed(bytes, [0xd8, 0x04, 0x01], [0xfe, 0x7f, 0x01]);
    expect(await refusal(longer)).toMatch(/column text: a run of 8191 values where 300 are left/);
  });

  test('a column of more parts than there are columns', async () => {
    const bytes = readFileSync(join(FIXTURES, 'hotpotqa-hub.parquet'));
    const name = [...Buffer.from('supporting_facts')];
    // Field 5 of a schema's element, 2 as 4 and 50 as 100.
    const parted = changed(bytes, [...name, 0x15, 4], [...name, 0x15, 100]);
    expect(await refusal(parted)).toMatch(/its schema has columns of a false number of parts/);
  });

  test('more rows in the footer than there are values', async () => {
    const bytes = await written([{ name: 'text', data: texts, type: 'STRING' }], 'SNAPPY', 10);
    // The footer's own count of rows, field 3 (0x16), and its row groups', each 10 as 20.
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    const more = Buffer.from(bytes);
    let found = 0;
    for (let at = footer; at < bytes.length - 1; at++) {
      if (bytes[at] === 0x16 && bytes[at + 1] === 20) {
        more[at + 1] = 126;
        found++;
      }
    }
    expect(found).toBeGreaterThan(1);
    expect(await refusal(more)).toMatch(/column text: its pages have 10 values of 63/);
  });
});
