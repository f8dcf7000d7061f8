import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataSourceSchema, openData } from '../../../activities/datasets/data-source.js';
import type { Sample } from '../../../activities/datasets/sample.js';
import { openSource } from '../../../activities/datasets/sources.js';
import { NO_CACHE } from '../../support/no-cache.js';
import { townSamples, wordMeasure } from '../../support/samples.js';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'data-source-'));
  path = written('towns.jsonl', townSamples(24));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, samples: readonly Sample[]): string {
  const file = join(folder, name);
  writeFileSync(file, samples.map(sample => `${JSON.stringify(sample)}\n`).join(''));
  return file;
}

async function made(options: Record<string, unknown>) {
  const source = dataSourceSchema.parse({ type: 'jsonl', path, ...options });
  const opened = openData(source, s => openSource(s, NO_CACHE), wordMeasure);
  const samples: Sample[] = [];
  for await (const sample of opened.samples) samples.push(sample);
  return { samples, summary: opened.summary() };
}

const problems = (source: unknown): string[] =>
  dataSourceSchema.safeParse(source).error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

test('without options, the reader’s samples as they are', async () => {
  const { samples, summary } = await made({});
  expect(samples).toEqual(townSamples(24));
  expect(summary.lengthening).toBeUndefined();
});

test('a sample for each length; one that its documents pass already is left out and counted', async () => {
  const { samples, summary } = await made({ distractors: { upTo: [44, 120, 240] } });
  expect(samples.filter(({ id }) => id.endsWith('/d240'))).toHaveLength(24);
  expect(samples.length + summary.lengthening!.tooLong + summary.lengthening!.repeated).toBe(72);
  expect(summary.lengthening!.tooLong).toBeGreaterThan(0);
  expect(summary.lengthening!.ranOut).toBe(0);
  for (const sample of samples) {
    expect(wordMeasure.promptTokens(sample)).toBeLessThanOrEqual(Number(sample.id.split('/d')[1]));
  }
  expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length);
});

test('every run gives the same bits', async () => {
  const options = { keychain: { chains: 3, length: 2, upTo: 300, seed: 4 } };
  expect(JSON.stringify((await made(options)).samples)).toBe(JSON.stringify((await made(options)).samples));
});

test('documents from another source, whose summary is kept', async () => {
  const others = townSamples(40)
    .slice(30)
    .map(s => ({ ...s, documents: s.documents.map(d => ({ ...d, text: `Elsewhere: ${d.text}` })) }));
  const from = { type: 'jsonl', path: written('others.jsonl', others) };
  const { samples, summary } = await made({ distractors: { upTo: 200, from } });
  for (const { documents } of samples) {
    expect(documents.filter(({ text }) => text.startsWith('Elsewhere: ')).length).toBe(documents.length - 3);
    expect(documents.length).toBeGreaterThan(3);
  }
  expect(summary.lengthening!.from).toMatchObject({ samples: 10 });
});

test('a keychain alone adds no documents; its id says how hard it is', async () => {
  const { samples } = await made({ keychain: { chains: 2, length: 5 } });
  expect(samples[3]).toMatchObject({ id: 'q3/k2x5', documents: { length: 3 }, answers: townSamples(4)[3]!.answers });
});

test('mistakes are refused by their place', () => {
  expect(problems({ type: 'jsonl', path, distractors: { upTo: 0 } })[0]).toMatch(/^distractors\.upTo: /);
  expect(problems({ type: 'jsonl', path, distractors: { upTo: 9, form: {} } })[0]).toMatch(/^distractors: /);
  expect(
    problems({ type: 'jsonl', path, distractors: { upTo: 9 }, keychain: { chains: 1, length: 1, upTo: 9 } }),
  ).toEqual(['keychain.upTo: expected nothing here beside "distractors", whose upTo says the length']);
  expect(problems({ type: 'world', seed: 1, count: 1, facts: [8], distractors: { upTo: 9 } })[0]).toMatch(
    /distractors/,
  );
  expect(problems({ type: 'nowhere' })[0]).toMatch(/^type: /);
});
