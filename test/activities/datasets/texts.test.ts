/** Questions made of texts, each answered again from its documents by other means than it was made by. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSource, type Sample, type Source } from '../../../activities/datasets/sources.js';
import { scoreRule } from '../../../activities/rewards/rules.js';

/** As `npm test` has them; 10,000 of each family were tried the same way. */
const TEXTS = Number(process.env.TEXTS ?? 120);

let folder: string;
const paragraphs: string[][] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-texts-'));
  let state = 7;
  const below = (bound: number) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * bound);
  };
  const syllables = ['Mar', 'Kur', 'Ish', 'Que', 'Dor', 'Cas', 'Lin', 'Bel'];
  const names = syllables.flatMap(first => syllables.map(second => first + second.toLowerCase()));
  const words = 'river sails a letter came before noon and nobody knew which of them had written it so late'.split(' ');
  for (let k = 0; k < TEXTS; k++) {
    const sentence = () =>
      `${names[below(names.length)]} ${Array.from({ length: 7 + below(6) }, () => words[below(words.length)]).join(' ')}.`;
    paragraphs.push(Array.from({ length: 9 + below(4) }, () => `${sentence()} ${sentence()}`));
  }
  const lines = paragraphs.map((of, k) => JSON.stringify({ id: k, title: `Text ${k}`, text: of.join('\n\n') }));
  await writeFile(join(folder, 'texts.jsonl'), `${lines.join('\n')}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(options: object = {}, path = 'texts.jsonl'): Promise<Sample[]> {
  const source = { type: 'texts', path: join(folder, path), from: 0, onMalformed: 'stop', ...DEFAULTS, ...options };
  const samples: Sample[] = [];
  for await (const sample of readSource(source as Source, { cacheDir: folder })) samples.push(sample);
  return samples;
}
const DEFAULTS = { families: ['reconstruct', 'quote', 'count', 'compare'], texts: 4, questions: 1, pieces: 4, seed: 0 };

const wholeWord = (text: string, word: string) => text.split(/[^\p{L}\p{N}]+/u).includes(word);
const quoted = (question: string) => [...question.matchAll(/"([^"]+)"/g)].map(([, inside]) => inside!);

/** The answer, from question and documents alone. */
const ANSWERS: Record<string, (sample: Sample) => string> = {
  reconstruct: ({ question, documents }) => {
    const listed = new Map(
      question
        .split('\n\n')
        .slice(1)
        .map(option => [option.slice(3), option[0]!]),
    );
    const original = paragraphs[Number(documents[0]!.title!.slice('Text '.length))]!;
    const left = documents[0]!.text.split('\n\n');
    expect(left).toHaveLength(original.length);
    return original.flatMap((paragraph, k) => (left[k] === paragraph ? [] : [listed.get(paragraph)!])).join(', ');
  },
  quote: ({ question, documents }) => {
    const [sentence] = quoted(question);
    const document = documents.filter(({ text }) => text.includes(sentence!));
    expect(document).toHaveLength(1);
    const behind = document[0]!.text.split(sentence!)[1]!;
    return behind.trim().split(/\s+/).slice(0, 5).join(' ').replace(/\.$/, '');
  },
  count: ({ question, documents }) =>
    String(documents.filter(({ text }) => wholeWord(text, quoted(question)[0]!)).length),
  compare: ({ question, documents }) => {
    const [a, b] = quoted(question).map(word => ({
      word,
      count: documents.filter(({ text }) => wholeWord(text, word)).length,
    }));
    return a!.count > b!.count ? a!.word : b!.word;
  },
};

test.each(Object.keys(ANSWERS))('%s: the answer is in the documents, and right by the rule', async family => {
  const samples = await read({ families: [family], questions: 2 });
  expect(samples.length).toBeGreaterThan(TEXTS / 4);
  for (const sample of samples) {
    const answer = ANSWERS[family]!(sample);
    expect({ id: sample.id, answer }).toEqual({ id: sample.id, answer: sample.answers[0] });
    const { score } = scoreRule('hardened', sample.task, sample.trace!, sample.answers);
    expect({ id: sample.id, score }).toEqual({ id: sample.id, score: 1 });
  }
  expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length);
});

test('what was quoted does not tell its answer, and no answer is much commoner than the others', async () => {
  const samples = await read({ questions: 4 });
  const of = (family: string) => samples.filter(({ id }) => id.includes(`/${family}-`));
  for (const { question, answers } of of('quote')) expect(question.includes(answers[0]!)).toBe(false);
  for (const family of ['reconstruct', 'count']) {
    const tally = new Map<string, number>();
    for (const { answers } of of(family)) tally.set(answers[0]!, (tally.get(answers[0]!) ?? 0) + 1);
    expect(Math.max(...tally.values()) / of(family).length).toBeLessThan(family === 'count' ? 0.5 : 0.2);
  }
  const first = of('compare').filter(({ question, answers }) => quoted(question)[0] === answers[0]).length;
  expect(Math.abs(first / of('compare').length - 0.5)).toBeLessThan(0.2);
});

test('another order of the paragraphs is another answer', () => {
  const golds = ['R, P, Q', 'R P Q', 'RPQ'];
  const score = (text: string) => scoreRule('hardened', 'docqa', `Therefore, the answer is ${text}.`, golds).score;
  expect(['R, P, Q', 'R P Q', 'RPQ', 'r, p, q'].map(score)).toEqual([1, 1, 1, 1]);
  expect(['P, R, Q', 'R, P', 'R, P, Q, S', 'RQP'].map(score)).toEqual([0, 0, 0, 0]);
});

test('the same seed gives the same bytes, another seed other questions', async () => {
  const bytes = async (options: object) =>
    createHash('sha256')
      .update(JSON.stringify(await read(options)))
      .digest('hex');
  expect(await bytes({})).toBe(await bytes({}));
  expect(await bytes({ seed: 1 })).not.toBe(await bytes({}));
});

test('plain files are a text each; what gives no question is left out', async () => {
  await writeFile(join(folder, 'a.md'), paragraphs[0]!.join('\n\n'));
  await writeFile(join(folder, 'b.txt'), 'Short.');
  const samples = await read({ texts: 2 }, '*.*d*');
  expect(samples.map(({ documents }) => documents[0]!.title)).toContain('a.md');
  expect(await read({ texts: 2 }, 'b.txt')).toEqual([]);
});

test('a malformed text is named', async () => {
  await writeFile(join(folder, 'bad.jsonl'), '{"text": "one"}\n{"title": "no text"}\n');
  await expect(read({}, 'bad.jsonl')).rejects.toThrow(/bad\.jsonl.*text/s);
});
