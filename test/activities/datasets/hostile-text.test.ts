/** Data files that are made to exhaust who reads them: refused by name. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { DataError, openSource, sourceSchema } from '../../../activities/datasets/sources.js';

jest.setTimeout(60_000);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-hostile-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(name: string, onMalformed: 'stop' | 'skip' = 'stop'): Promise<number> {
  const source = sourceSchema.parse({ type: 'jsonl', path: join(folder, name), onMalformed });
  let samples = 0;
  for await (const _ of openSource(source, { cacheDir: folder }).samples) samples++;
  return samples;
}

const MEBIBYTE = 2 ** 20;
/** A gzip file of `start` and then 100 MiB of one character. */
async function bomb(name: string, start: string, filling: string): Promise<void> {
  const pieces = [start, ...new Array<string>(100).fill(filling.repeat(MEBIBYTE))];
  await pipeline(Readable.from(pieces), createGzip({ level: 9 }), createWriteStream(join(folder, name)));
  expect((await stat(join(folder, name))).size).toBeLessThan(MEBIBYTE);
}

test.each([
  ['one endless line', 'bomb.jsonl.gz', '{"question": "', 'x'],
  ['nothing but blank lines', 'bomb.jsonl.gz', '\n', '\n'],
  ['an array of one endless record', 'bomb.json.gz', '[{"question": "', 'x'],
  ['an array that is never begun', 'bomb.json.gz', '[', ' '],
  ['an endless cell', 'bomb.csv.gz', 'question,context\n"', 'x'],
])('a small gzip file that unpacks to %s', async (_, name, start, filling) => {
  await bomb(name, start, filling);
  const failure = read(name, 'skip');
  await expect(failure).rejects.toThrow(DataError);
  await expect(failure).rejects.toThrow(`${name}: expected a gzip file that unpacks to at most 100 times its size`);
});

test.each(['[', '{"a":'])('a record nested deeply by %s is refused by its line', async opening => {
  const closing = opening === '[' ? ']' : '}';
  const deep = `${opening.repeat(200_000)}1${closing.repeat(200_000)}`;
  const record = { question: 'Who?', context: 'Ann.', answer: 'Ann' };
  await writeFile(
    join(folder, 'deep.jsonl'),
    `${JSON.stringify(record)}\n${JSON.stringify(record).replace('"Ann"', deep)}\n`,
  );
  await expect(read('deep.jsonl')).rejects.toThrow(/deep\.jsonl: line 2: /);
  expect(await read('deep.jsonl', 'skip')).toBe(1);
  await writeFile(join(folder, 'deep.json'), `[${deep}]`);
  await expect(read('deep.json')).rejects.toThrow(/deep\.json: record 0 \(line 1\): /);
});
