import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataSourceSchema, openData } from '../../../activities/datasets/data-source.js';
import type { PromptMeasure } from '../../../activities/datasets/distractors.js';
import { openSource, type Sample } from '../../../activities/datasets/sources.js';
import { NO_CACHE } from '../../support/no-cache.js';

/** A word is a token; the prompt has 7 beside the text. */
const tokensOf = (text: string): number => text.split(/\s+/).filter(word => word !== '').length;
const measure: PromptMeasure = {
  promptTokens: ({ question, documents }) => 7 + tokensOf(question) + tokensOf(documents[0]!.text),
  documentTokens: ({ text }) => tokensOf(text),
};

async function read(source: Record<string, unknown>) {
  const opened = openData(dataSourceSchema.parse(source), plain => openSource(plain, NO_CACHE), measure);
  const samples: Sample[] = [];
  for await (const sample of opened.samples) samples.push(sample);
  return { samples, summary: opened.summary() };
}

const TASKS = ['single', 'multikey', 'haystack', 'multivalue', 'multiquery', 'variables', 'common', 'frequent'];
const textOf = ({ documents }: Sample): string => documents[0]!.text;
const answersOf = ({ answers }: Sample): string[] => answers[0]!.split(', ');

test('every task is as long as it was asked for, and no longer', async () => {
  const { samples } = await read({ type: 'ruler', upTo: [300, 3000], count: 3 });
  expect(samples).toHaveLength(2 * 8 * 3);
  for (const sample of samples) {
    const target = Number(/d(\d+)$/.exec(sample.id)![1]);
    const tokens = measure.promptTokens(sample);
    expect(tokens).toBeLessThanOrEqual(target);
    // One sentence or word more would be too many; of words that stand there three times, three.
    expect(tokens).toBeGreaterThan(target - 8);
  }
});

test('the same seed gives the same bytes, another seed other questions', async () => {
  const of = async (seed: number) => JSON.stringify((await read({ type: 'ruler', upTo: 400, count: 2, seed })).samples);
  expect(await of(3)).toBe(await of(3));
  expect(await of(4)).not.toBe(await of(3));
});

describe('the answer is what the text says', () => {
  const each = async (task: string) =>
    (await read({ type: 'ruler', upTo: [400, 900], count: 10, tasks: [task] })).samples;

  test.each(['single', 'multikey', 'haystack', 'multivalue', 'multiquery'])('%s', async task => {
    for (const sample of await each(task)) {
      const numbers = [...textOf(sample).matchAll(/The number of (\w+) is (\d{7})\./g)];
      const asked = [...sample.question.matchAll(/\b[bdfgklmnprstvz][aeiou](?:[bdfgklmnprstvz][aeiou]){2}\b/g)].map(
        ([word]) => word,
      );
      const found = asked.flatMap(key => numbers.filter(([, of]) => of === key).map(([, , value]) => value!));
      expect(answersOf(sample)).toEqual(found);
      expect(numbers.length > found.length).toBe(['multikey', 'haystack'].includes(task));
    }
  });

  test('variables', async () => {
    for (const sample of await each('variables')) {
      const values = new Map<string, string>();
      const order: string[] = [];
      for (const [, name, to] of textOf(sample).matchAll(/Let (\w+) be (\w+)\./g)) {
        values.set(name!, values.get(to!) ?? to!);
        order.push(name!);
      }
      const asked = /stand for (\d{7})/.exec(sample.question)![1]!;
      expect(answersOf(sample)).toEqual(order.filter(name => values.get(name) === asked));
      expect(order).toHaveLength(16);
    }
  });

  test.each([
    ['common', 10],
    ['frequent', 3],
  ])('%s', async (task, asked) => {
    for (const sample of await each(task)) {
      const counts = new Map<string, number>();
      for (const word of textOf(sample).split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
      const sorted = [...counts].sort((a, b) => b[1] - a[1]);
      expect(answersOf(sample)).toEqual(
        sorted
          .slice(0, asked)
          .map(([word]) => word)
          .sort(),
      );
      // The last that is asked for stands there oftener than the first that is not.
      expect(sorted[asked - 1]![1]).toBeGreaterThan(sorted[asked]?.[1] ?? 0);
    }
  });
});

test.each(TASKS)('%s: nothing of the answer stands in the question', async task => {
  const { samples } = await read({ type: 'ruler', upTo: 500, count: 20, tasks: [task] });
  for (const sample of samples) for (const answer of answersOf(sample)) expect(sample.question).not.toContain(answer);
});

test('questions that are longer than asked for without anything else are left out and counted', async () => {
  const { samples, summary } = await read({ type: 'ruler', upTo: 40, count: 2 });
  expect(samples.map(({ id }) => id.split('/')[1])).toEqual([
    ...['single-0', 'single-1', 'multikey-0', 'multikey-1', 'haystack-0', 'haystack-1'],
  ]);
  expect(summary).toMatchObject({ source: 'ruler', samples: 6, lengthening: { tooLong: 10 } });
});

test('what cannot be is refused', () => {
  const problem = (source: object) => dataSourceSchema.safeParse(source).error!.issues[0]!.path.join('.');
  expect(problem({ type: 'ruler', count: 1 })).toBe('upTo');
  expect(problem({ type: 'ruler', count: 1, upTo: 9, tasks: ['riddle'] })).toBe('tasks.0');
  expect(problem({ type: 'ruler', count: 1, upTo: 9, distractors: { upTo: 9 } })).toBe('');
  const from = { type: 'ruler', count: 1, upTo: 9 };
  expect(problem({ type: 'jsonl', path: 'a', distractors: { upTo: 9, from } })).toBe('distractors.from.type');
});

describe('files of others', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ruler-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (record: object): string => {
    const path = join(folder, 'records.jsonl');
    writeFileSync(path, JSON.stringify(record));
    return path;
  };

  const input = 'Some numbers are hidden below.\nLine.\nWhat are the numbers? The numbers are';
  test('RULER’s', async () => {
    const record = { index: 0, input, outputs: ['4711', '0815'], length: 20 };
    const { samples } = await read({ type: 'ruler-files', path: file(record) });
    expect(samples[0]).toMatchObject({
      question: 'What are the numbers? The numbers are',
      documents: [{ title: null, text: 'Some numbers are hidden below.\nLine.' }],
      answers: ['4711, 0815'],
      template: '{document}\n{question}',
    });
    const any = await read({ type: 'ruler-files', path: file(record), outputs: 'any' });
    expect(any.samples[0]!.answers).toEqual(['4711', '0815']);
    await expect(read({ type: 'ruler-files', path: file({ input, outputs: ['a, b'] }) })).rejects.toThrow(
      /field outputs: expected none with a comma/,
    );
    await expect(read({ type: 'ruler-files', path: file({ input: 'one line', outputs: ['a'] }) })).rejects.toThrow(
      /field input: expected the question in a line of its own/,
    );
  });

  const messages = [
    { role: 'user', content: 'Write a poem about tapirs.' },
    { role: 'assistant', content: 'Tapirs sleep.' },
    { role: 'user', content: 'Prepend aB3 to the first poem about tapirs.' },
  ];
  const record = {
    prompt: JSON.stringify(messages),
    answer: 'aB3Tapirs sleep.',
    random_string_to_prepend: 'aB3',
    n_needles: 2,
  };
  test('MRCR’s', async () => {
    const { samples } = await read({ type: 'mrcr', path: file(record) });
    expect(samples[0]).toMatchObject({
      question: 'Prepend aB3 to the first poem about tapirs.',
      documents: [{ text: 'User: Write a poem about tapirs.\n\nAssistant: Tapirs sleep.' }],
      answers: ['aB3\nTapirs sleep.'],
    });
    expect((await read({ type: 'mrcr', path: file({ ...record, prompt: messages }) })).samples).toEqual(samples);
    const none = await read({ type: 'mrcr', path: file(record), needles: [4, 8] });
    expect(none).toMatchObject({ samples: [], summary: { leftOut: 1 } });
    await expect(read({ type: 'mrcr', path: file({ ...record, answer: 'Tapirs' }) })).rejects.toThrow(
      /field answer: expected it to begin with random_string_to_prepend/,
    );
  });
});
