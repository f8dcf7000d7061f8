import { withDistractors } from '../../../activities/datasets/distractors.js';
import { DocumentPool } from '../../../activities/datasets/document-pool.js';
import type { Sample } from '../../../activities/datasets/sample.js';
import { townSamples, wordMeasure } from '../../support/samples.js';

const samples = townSamples(60);
const pool = new DocumentPool();
for (const sample of samples) pool.add(sample);

const lengthen = (sample: Sample, upTo: number, seed = 1) => withDistractors(sample, { upTo, seed }, pool, wordMeasure);

test('the target is reached as nearly as whole documents allow, and never passed', () => {
  const shortest = Math.min(...pool.documents.map(({ document }) => wordMeasure.documentTokens(document)));
  for (const sample of samples) {
    for (const upTo of [100, 150, 400]) {
      const { sample: made, ranOut } = lengthen(sample, upTo)!;
      const tokens = wordMeasure.promptTokens(made);
      expect(tokens).toBeLessThanOrEqual(upTo);
      expect(tokens).toBeGreaterThan(upTo - shortest);
      expect(ranOut).toBe(false);
    }
  }
});

test('no document that is added gives the answer, is there twice, or is the question’s own', () => {
  for (const sample of samples) {
    const { sample: made } = lengthen(sample, 400)!;
    const texts = made.documents.map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
    const own = new Set(sample.documents);
    const added = made.documents.filter(document => !own.has(document));
    expect(added.length).toBe(made.documents.length - sample.documents.length);
    for (const { title, text } of added)
      expect(`${title} ${text}`.toLowerCase()).not.toContain(sample.answers[0]!.toLowerCase());
  }
});

test('the sample’s own documents keep their order, and evidence follows them', () => {
  const places = new Set<string>();
  for (const sample of samples) {
    const { sample: made } = lengthen(sample, 300)!;
    expect(made.documents.filter(document => sample.documents.includes(document))).toEqual(sample.documents);
    expect(made.evidence!.map(k => made.documents[k])).toEqual(sample.evidence!.map(k => sample.documents[k]));
    for (const k of made.evidence!) places.add((k / made.documents.length).toFixed(1));
  }
  expect(places.size).toBeGreaterThan(8);
});

test('the same for the same seed and id, another for another; longer contexts begin with what shorter ones have', () => {
  const sample = samples[7]!;
  expect(lengthen(sample, 200)).toEqual(lengthen(sample, 200));
  expect(lengthen(sample, 200)).not.toEqual(lengthen(sample, 200, 2));
  expect(lengthen(sample, 200)!.sample.documents).not.toEqual(lengthen({ ...sample, id: 'x' }, 200)!.sample.documents);
  const long = lengthen(sample, 300)!.sample.documents;
  const short = lengthen(sample, 100)!.sample.documents;
  // The last few are those that fit what was left.
  expect(short.filter(document => long.includes(document)).length).toBeGreaterThanOrEqual(short.length - 2);
});

test('a sample that is too long without any is none; a pool that does not suffice is told', () => {
  const sample = samples[0]!;
  expect(lengthen(sample, wordMeasure.promptTokens(sample) - 1)).toBeNull();
  expect(lengthen(sample, wordMeasure.promptTokens(sample))).toEqual({ sample, added: 0, ranOut: false });
  const { sample: made, ranOut } = lengthen(sample, 100_000)!;
  expect(ranOut).toBe(true);
  // Everything but what the five questions with the same answer say about it, and the sample's own.
  expect(made.documents.length).toBe(pool.documents.length - 4);
});

test('where tokens form at the seams, documents are taken back until the prompt fits', () => {
  const seams = { ...wordMeasure, promptTokens: (s: Sample) => wordMeasure.promptTokens(s) + 3 * s.documents.length };
  for (const sample of samples) {
    const { sample: made } = withDistractors(sample, { upTo: 250, seed: 1 }, pool, seams)!;
    expect(seams.promptTokens(made)).toBeLessThanOrEqual(250);
    expect(seams.promptTokens(made)).toBeGreaterThan(220);
  }
});

test('documents that belong to the same question in another sample are not those of another question', () => {
  const [a, b] = townSamples(2);
  const twice = new DocumentPool();
  twice.add({ ...a!, documents: [] });
  twice.add({ ...a!, id: 'again', documents: [{ title: null, text: 'Only this question has it.' }] });
  twice.add(b!);
  const { sample: made } = withDistractors(a!, { upTo: 1000, seed: 1 }, twice, wordMeasure)!;
  expect(made.documents.map(({ text }) => text)).not.toContain('Only this question has it.');
  expect(made.documents.length).toBe(6);
});
