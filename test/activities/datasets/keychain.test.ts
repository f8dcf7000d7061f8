import { withDistractors } from '../../../activities/datasets/distractors.js';
import { DocumentPool } from '../../../activities/datasets/document-pool.js';
import { hiddenByKeychain, keychainFor } from '../../../activities/datasets/keychain.js';
import { DataError } from '../../../activities/datasets/records.js';
import type { Sample } from '../../../activities/datasets/sample.js';
import { townSamples, wordMeasure } from '../../support/samples.js';

const samples = townSamples(30);
const questions = samples.map(({ question }) => question);
const options = { chains: 4, length: 3, seed: 5 };
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;

const hide = (sample: Sample, o = options) => hiddenByKeychain(sample, keychainFor(sample, o, questions), o);

/** What a program that knows nothing but the prompt finds. */
function solved({ documents, question }: Pick<Sample, 'documents' | 'question'>): { question: string; keys: string[] } {
  const text = documents.map(d => d.text).join('\n');
  const pairs = new Map(
    [...text.matchAll(/\{"[^"]*": "(?:[^"\\]|\\.)*"\}/g)].flatMap(([pair]) =>
      Object.entries(JSON.parse(pair) as Record<string, string>),
    ),
  );
  const keys = [question.match(UUID)![0]];
  for (;;) {
    const value = pairs.get(keys.at(-1)!)!;
    if (!pairs.has(value)) return { question: value, keys };
    keys.push(value);
  }
}

test('following the chain from the key in the prompt leads to the question, in as many steps as asked for', () => {
  for (const sample of samples) {
    const hidden = hide(sample);
    expect(hidden.question).not.toContain(sample.question);
    expect(solved(hidden).question).toBe(sample.question);
    expect(solved(hidden).keys).toHaveLength(3);
    expect(hidden.answers).toBe(sample.answers);
    expect(hidden.evidence).toEqual(sample.evidence);
    expect(hidden.original).toEqual({ question: sample.question, documents: sample.documents });
  }
});

test('the other chains lead to other questions and never join the true one', () => {
  for (const sample of samples) {
    const { chains, start } = keychainFor(sample, options, questions);
    expect(chains).toHaveLength(5);
    const keys = chains.flatMap(chain => chain.map(([key]) => key));
    expect(new Set(keys).size).toBe(15);
    for (const key of keys) expect(key).toMatch(new RegExp(`^${UUID.source}$`));
    // Every key but the first of each chain is led to exactly once.
    const values = chains.flatMap(chain => chain.map(([, value]) => value));
    expect(values.filter(value => keys.includes(value)).sort()).toEqual(
      keys.filter(key => !chains.some(chain => chain[0]![0] === key)).sort(),
    );
    expect(start).toBe(chains[0]![0]![0]);
    const ends = chains.map(chain => chain.at(-1)![1]);
    expect(new Set(ends).size).toBe(5);
    expect(ends.filter(end => end === sample.question)).toHaveLength(1);
  }
});

test('taking the pairs out again leaves the documents as they were', () => {
  for (const sample of samples) {
    const plain = hide(sample).documents.map(({ title, text }) => ({
      title,
      text: text.replaceAll(/ ?\{"[^"]*": "(?:[^"\\]|\\.)*"\}/g, '').trim(),
    }));
    expect(plain).toEqual(sample.documents.map(({ title, text }) => ({ title, text: text.trim() })));
  }
});

test('the pairs are spread over the documents', () => {
  const holding = samples.map(s => hide(s).documents.map(({ text }) => text.includes('{"')));
  for (const k of [0, 1, 2]) expect(holding.filter(documents => documents[k]).length).toBeGreaterThan(20);
});

test('a trace walks the chain before it reasons; no trace stays none', () => {
  const hidden = hide(samples[3]!);
  const { keys } = solved(hidden);
  expect(hidden.trace!.match(UUID)).toEqual(keys);
  expect(hidden.trace).toContain(`the question: ${samples[3]!.question} `);
  expect(hidden.trace!.endsWith(samples[3]!.trace!)).toBe(true);
  expect(hide({ ...samples[3]!, trace: null }).trace).toBeNull();
});

test('the same for the same seed and id, other keys for others', () => {
  expect(hide(samples[0]!)).toEqual(hide(samples[0]!));
  expect(hide(samples[0]!, { ...options, seed: 6 }).question).not.toBe(hide(samples[0]!).question);
  expect(hide({ ...samples[0]!, id: 'x' }).question).not.toBe(hide(samples[0]!).question);
});

test('no other question gives the answer away; too few are an error that says so', () => {
  const telling = samples.map((_, k) => `Who was born in Bergen in year ${k}?`);
  expect(() => keychainFor(samples[0]!, options, [...telling, questions[1]!])).toThrow(DataError);
  expect(() => keychainFor(samples[0]!, options, [...telling, questions[1]!])).toThrow(
    /4 chains beside that of "q0", found 1 /,
  );
  expect(keychainFor(samples[0]!, { ...options, chains: 0 }, telling).chains).toHaveLength(1);
});

test('a sample without documents gets one of pairs', () => {
  const hidden = hide({ ...samples[0]!, documents: [], evidence: null });
  expect(solved(hidden).question).toBe(samples[0]!.question);
});

test('questions with quotation marks survive', () => {
  const sample = { ...samples[0]!, question: 'Who wrote "Ships": {"a"} or \\?' };
  expect(solved(hide(sample)).question).toBe(sample.question);
});

test('with distractors the length counts the pairs, and evidence and chain hold', () => {
  const pool = new DocumentPool();
  for (const sample of samples) pool.add(sample);
  for (const sample of samples) {
    const chain = keychainFor(sample, options, questions);
    const made = withDistractors(sample, { upTo: 400, seed: 2 }, pool, wordMeasure, s =>
      hiddenByKeychain(s, chain, options),
    )!;
    expect(wordMeasure.promptTokens(made.sample)).toBeLessThanOrEqual(400);
    expect(wordMeasure.promptTokens(made.sample)).toBeGreaterThan(370);
    expect(solved(made.sample).question).toBe(sample.question);
    const { evidence, original } = made.sample;
    expect(evidence!.map(k => original!.documents[k])).toEqual(sample.evidence!.map(k => sample.documents[k]));
  }
});
