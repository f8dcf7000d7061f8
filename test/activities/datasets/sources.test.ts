import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError, readSource, type Sample, sourceSchema } from '../../../activities/datasets/sources.js';

const FIXTURES = join(__dirname, '../../fixtures/datasets');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sources-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(source: Record<string, unknown>): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of readSource(sourceSchema.parse(source), { cacheDir: folder })) samples.push(sample);
  return samples;
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function refusal(source: Record<string, unknown>): Promise<string> {
  const error = await read(source).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('hotpotqa', () => {
  const path = join(FIXTURES, 'hotpotqa.json');

  test('without counts, every paragraph in the order of the file, and a trace of the supporting sentences', async () => {
    const [first, second, third] = await read({ type: 'hotpotqa', path });
    expect(first).toEqual({
      id: 'q0',
      question: 'In which country is the town where the painter of Blue Harbour was born?',
      documents: [
        { title: 'Red Harbour', text: 'Red Harbour is a film. It was shot in [Wales], "by the sea".' },
        { title: 'Blue Harbour', text: 'Blue Harbour is a painting by Ada Lind. It hangs in Bergen.' },
        { title: 'Ada Lind', text: 'Ada Lind was a painter. She was born in Voss, Norway.' },
        { title: 'Voss Water', text: 'Voss Water is a brand.' },
        { title: 'Harbour', text: 'A harbour shelters ships.' },
      ],
      answers: ['Norway'],
      task: 'docqa',
      trace: 'Blue Harbour is a painting by Ada Lind. She was born in Voss, Norway. Therefore, the answer is Norway.',
      evidence: [1, 2],
    });
    expect(second?.trace).toBe('Tom Ek was a chemist. Liv Dahl was a chemist. Therefore, the answer is yes.');
    expect(third?.trace).toBeNull();
  });

  test('a sample for each count: gold always kept, distractors nested, the same for the same seed', async () => {
    const source = { type: 'hotpotqa', path, to: 1, paragraphs: [2, 4, 5], seed: 3 };
    const samples = await read(source);
    expect(samples.map(s => s.id)).toEqual(['q0/p2', 'q0/p4', 'q0/p5']);
    const titles = samples.map(s => s.documents.map(d => d.title));
    expect(titles.map(t => t.length)).toEqual([2, 4, 5]);
    for (const kept of titles) expect(kept).toEqual(expect.arrayContaining(['Blue Harbour', 'Ada Lind']));
    expect(titles[2]).toEqual(expect.arrayContaining(titles[1]!));
    expect(await read(source)).toEqual(samples);
    const orders = new Set<string>();
    for (let seed = 0; seed < 8; seed++)
      orders.add(JSON.stringify((await read({ ...source, seed })).map(s => s.documents.map(d => d.title))));
    expect(orders.size).toBeGreaterThan(4);
  });

  test('counts a question cannot have become the nearest, once', async () => {
    expect((await read({ type: 'hotpotqa', path, from: 1, to: 2, paragraphs: [1, 2, 3, 9] })).map(s => s.id)).toEqual([
      'q1/p1',
      'q1/p3',
    ]);
  });

  test('ranges of the file share no question', async () => {
    const ids = async (from: number, to: number) => (await read({ type: 'hotpotqa', path, from, to })).map(s => s.id);
    expect(await ids(0, 2)).toEqual(['q0', 'q1']);
    expect(await ids(2, 9)).toEqual(['q2']);
  });

  test('serves 2WikiMultihopQA, which has its layout', async () => {
    expect(await read({ type: '2wikimultihopqa', path })).toEqual(await read({ type: 'hotpotqa', path }));
  });

  test('a malformed record is refused with file, place and field', async () => {
    const bad = file('bad.json', '[\n{"_id": "a", "question": "q", "answer": "x", "context": [["t", "no list"]]}\n]');
    const message = await refusal({ type: 'hotpotqa', path: bad });
    expect(message).toContain(`${bad}: record 0 (line 2)`);
    expect(message).toContain('field context[0][1]');
    expect(message).toContain('field supporting_facts');
  });
});

describe('files that are not what they should be', () => {
  test.each([
    ['cut short', '[\n', /line 2: expected the end of the array/],
    ['cut short in a record', '[{"a": 1', /line 1: expected the end of the array/],
    ['no array', '"text"', /line 1: field|expected/],
    ['more after the array', '[]\n{}', /line 2: expected nothing after the array/],
    ['an element that is no JSON', '[\n\n{"_id": nope}]', /record 0 \(line 3\): expected JSON/],
  ])('%s', async (name, text, expected) => {
    expect(await refusal({ type: 'hotpotqa', path: file(`${name}.json`, text) })).toMatch(expected);
  });

  test('a missing file', async () => {
    expect(await refusal({ type: 'hotpotqa', path: join(folder, 'none.json') })).toContain('none.json');
    expect(await refusal({ type: 'jsonl', path: join(folder, 'none.jsonl') })).toContain('none.jsonl');
  });

  test('an array larger than a chunk, with brackets, quotes and commas in strings', async () => {
    const records = Array.from({ length: 300 }, (_, i) => ({
      _id: `id ${i}`,
      question: `a "quoted\\", [bracket} ${'x'.repeat(i * 7)}`,
      answer: 'ü, \u{1F600}]',
      context: [['t', ['s']]],
      supporting_facts: [],
    }));
    const samples = await read({ type: 'hotpotqa', path: file('large.json', JSON.stringify(records, null, 1)) });
    expect(samples.map(s => [s.id, s.question, s.answers[0]])).toEqual(records.map(r => [r._id, r.question, r.answer]));
  });
});

describe('musique', () => {
  test('aliases are answers, steps make the trace, with earlier answers filled in', async () => {
    const [sample] = await read({ type: 'musique', path: join(FIXTURES, 'musique.jsonl'), paragraphs: [2] });
    expect(sample?.id).toBe('2hop__1_2/p2');
    expect(sample?.answers).toEqual(['Bjørnson', 'Bjørnstjerne Bjørnson']);
    expect(new Set(sample?.documents.map(d => d.title))).toEqual(new Set(['Voss', 'Ja, vi elsker']));
    expect(sample?.trace).toBe(
      'In which country does Voss lie? Norway. Who wrote the anthem of Norway ? Bjørnson. Therefore, the answer is Bjørnson.',
    );
  });
});

describe('jsonl', () => {
  test('the plain form and the full form', async () => {
    const path = file(
      'own.jsonl',
      [
        '{"question": "Who?", "context": "Ann did.", "answer": "Ann"}',
        '',
        '{"id": "b", "question": "Where?", "documents": ["In Rome.", {"title": "T", "text": "x"}], "answers": ["Rome", "Roma"], "trace": "t", "task": "docqa", "evidence": [1]}',
      ].join('\n'),
    );
    expect(await read({ type: 'jsonl', path })).toEqual([
      {
        id: 'record-1',
        question: 'Who?',
        documents: [{ title: null, text: 'Ann did.' }],
        answers: ['Ann'],
        task: 'docqa',
        trace: null,
        evidence: null,
      },
      {
        id: 'b',
        question: 'Where?',
        documents: [
          { title: null, text: 'In Rome.' },
          { title: 'T', text: 'x' },
        ],
        answers: ['Rome', 'Roma'],
        task: 'docqa',
        trace: 't',
        evidence: [1],
      },
    ]);
  });

  test.each([
    ['{"question": "q", "context": "c"}', /line 2: .*"answers" and "answer"/],
    ['{"question": "", "context": "c", "answer": "a"}', /line 2: field question/],
    ['{"Question": "q", "context": "c", "answer": "a"}', /field question: .*there is "Question": call it "question"/],
    ['{"question": " ", "context": "c", "answer": "a"}', /line 2: field question: expected a text, found an empty one/],
    [
      '{"question": "q", "context": "c", "answer": ""}',
      /line 2: field answer\[0\]: expected a text, found an empty one/,
    ],
    [
      '{"question": "q", "context": "c", "answers": []}',
      /line 2: field answers: expected an answer, found an empty list/,
    ],
    ['{"question": "q", "context": "c", "answers": [null]}', /line 2: field answers: expected an answer/],
    ['{"question": "q", "context": "c", "answer": {"text": "a"}}', /line 2: field answer\[0\]: .*found an object/],
    ['{"question": "q", "context": "c", "answer": [["a"]]}', /line 2: field answer\[0\]: .*found a list/],
    ['{"question": "q", "context": "c", "answer": Infinity}', /line 2: field answer\[0\]: .*found Infinity/],
    ['{"question": "q", "context": "c", "answer": NaN}', /line 2: .*one of "answers" and "answer"/],
    [
      `{"question": "q", "context": "c", "answers": "['a', 'b']"}`,
      /line 2: field answers\[0\]: expected a list in JSON/,
    ],
    ['{"question": "q", "context": "c", "answer": "a", "evidence": [1]}', /line 2: field evidence: .*found 1/],
    [
      '{"question": "q", "context": "c", "answer": "a", "trace": "t", "reasoning_content": "r"}',
      /field reasoning_content: .*within "trace"/,
    ],
    ['{"question": "q", "context": "c", "answer": "a", "task": "poetry"}', /line 2: field task.*docqa/],
    ['{"question": ', /line 2: expected JSON/],
  ])('refuses %s', async (line, expected) => {
    const good = '{"question": "q", "context": "c", "answer": "a"}';
    expect(await refusal({ type: 'jsonl', path: file('bad.jsonl', `${good}\n${line}`) })).toMatch(expected);
  });

  test('refuses one id for two records', async () => {
    const line = '{"id": "same", "question": "q", "context": "c", "answer": "a"}';
    expect(await refusal({ type: 'jsonl', path: file('twice.jsonl', `${line}\n${line}`) })).toContain('"same"');
  });
});

test('an unknown kind or a missing field is refused by the schema', () => {
  expect(sourceSchema.safeParse({ type: 'csv', path: 'x' }).success).toBe(false);
  expect(sourceSchema.safeParse({ type: 'hotpotqa' }).success).toBe(false);
  expect(sourceSchema.safeParse({ type: 'world', seed: 1, count: 3, facts: [1000] }).success).toBe(false);
});
