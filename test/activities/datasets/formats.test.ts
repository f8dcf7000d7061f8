import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError, openSource, type Sample, sourceSchema } from '../../../activities/datasets/sources.js';
import { renderPrompt } from '../../../activities/text/prompts.js';
import { NO_CACHE } from '../../support/no-cache.js';

const fixture = (name: string) => join(__dirname, '../../fixtures/datasets', name);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'formats-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(source: Record<string, unknown>) {
  const opened = openSource(sourceSchema.parse(source), NO_CACHE);
  const samples: Sample[] = [];
  for await (const sample of opened.samples) samples.push(sample);
  return { samples, summary: opened.summary() };
}

async function refusal(source: Record<string, unknown>): Promise<string> {
  const error = await read(source).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

function written(name: string, records: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(records));
  return path;
}

describe('hotpotqa as the Hub has it', () => {
  test('Parquet of structs of lists', async () => {
    const { samples } = await read({ type: 'hotpotqa', path: fixture('hotpotqa-hub.parquet') });
    expect(samples.map(s => s.id)).toEqual(['hub-0', 'hub-1', 'hub-2', 'hub-3', 'hub-4', 'hub-5', 'hub-6']);
    expect(samples[3]).toEqual({
      id: 'hub-3',
      question: 'Which river flows through the town of painter 3?',
      documents: [
        { title: 'Painter 3', text: 'Painter 3 was born in Town 3. They painted.' },
        { title: 'Elsewhere 3', text: '' },
        { title: 'Town 3', text: 'Town 3 is old. River 3 – ü flows through it.' },
      ],
      answers: ['River 3 – ü'],
      task: 'docqa',
      evidence: [0, 2],
      trace: 'Painter 3 was born in Town 3. River 3 – ü flows through it. Therefore, the answer is River 3 – ü.',
    });
  });

  const paragraphs = [
    { title: 'A', sentences: ['A is.', 'A was.'] },
    { title: 'B', sentences: ['B is.'] },
  ];
  const lists = paragraphs.map(({ title, sentences }) => [title, sentences]);
  test.each<[string, unknown, unknown]>([
    ['lists of pairs', lists, [['A', 1]]],
    ['lists of structs', paragraphs, [{ title: 'A', sent_id: 1 }]],
    ['structs called content', lists.map(([title, content]) => ({ title, content })), [['A', 1]]],
    ['JSON text', JSON.stringify(lists), '[["A", 1]]'],
  ])('context and facts as %s', async (name, context, supporting_facts) => {
    const path = written(`${name}.json`, [{ _id: 'x', question: 'q', answer: 'yes', context, supporting_facts }]);
    const { samples } = await read({ type: '2wikimultihopqa', path });
    expect(samples[0]?.documents).toEqual([
      { title: 'A', text: 'A is. A was.' },
      { title: 'B', text: 'B is.' },
    ]);
    expect(samples[0]?.evidence).toEqual([0]);
    expect(samples[0]?.trace).toBe('A was. Therefore, the answer is yes.');
  });

  const facts = [
    ['A', 'director', 'X'],
    ['X', 'educated at', 'Y'],
  ];
  test.each<[string, unknown]>([
    ['lists', facts],
    ['structs', facts.map(([fact, relation, entity]) => ({ fact, relation, entity }))],
    ['columns', { fact: ['A', 'X'], relation: ['director', 'educated at'], entity: ['X', 'Y'] }],
    ['JSON text', JSON.stringify(facts)],
  ])('evidences as %s make the trace of 2WikiMultihopQA', async (name, evidences) => {
    const record = { _id: 'x', question: 'q', answer: 'Y', context: lists, supporting_facts: [['A', 1]], evidences };
    const path = written(`evidences as ${name}.json`, [record]);
    const { samples } = await read({ type: '2wikimultihopqa', path });
    expect(samples[0]?.trace).toBe('The director of A is X. X was educated at Y. Therefore, the answer is Y.');
    expect(samples[0]?.evidence).toEqual([0]);
    const asHotpotQa = await read({ type: 'hotpotqa', path });
    expect(asHotpotQa.samples[0]?.trace).toBe('A was. Therefore, the answer is Y.');
  });

  test('a relation that every object has a property of is a noun like others', async () => {
    const evidences = [['A', 'constructor', 'X']];
    const record = { _id: 'x', question: 'q', answer: 'X', context: lists, supporting_facts: [['A', 1]], evidences };
    const { samples } = await read({ type: '2wikimultihopqa', path: written('constructor.json', [record]) });
    expect(samples[0]?.trace).toBe('The constructor of A is X. Therefore, the answer is X.');
  });

  test('evidences that are no triples are refused', async () => {
    const record = {
      _id: 'x',
      question: 'q',
      answer: 'a',
      context: lists,
      supporting_facts: [],
      evidences: [['A', 'is']],
    };
    const path = written('pairs.json', [record]);
    expect(await refusal({ type: '2wikimultihopqa', path })).toMatch(/record 0 \(line 1\): field evidences\[0\]/);
  });

  test('columns of unequal length are refused', async () => {
    const context = { title: ['A'], sentences: [] };
    const path = written('unequal.json', [{ _id: 'x', question: 'q', answer: 'a', context, supporting_facts: [] }]);
    expect(await refusal({ type: 'hotpotqa', path })).toMatch(/record 0 \(line 1\): field context: /);
  });
});

test('unanswerable questions of MuSiQue-Full are left out, and counted', async () => {
  const record = (answerable: boolean) => ({
    id: '2hop__1',
    question: 'q',
    answer: 'a',
    answerable,
    paragraphs: [{ idx: 0, title: 't', paragraph_text: 'x', is_supporting: true }],
    question_decomposition: [],
  });
  const { samples, summary } = await read({
    type: 'musique',
    path: written('full.json', [record(false), record(true)]),
  });
  expect(samples.map(s => s.id)).toEqual(['2hop__1']);
  expect([summary.samples, summary.leftOut]).toEqual([1, 1]);
});

describe('docqa-rl', () => {
  const path = fixture('docqa-rl.parquet');

  test('document and question are taken out of the prompt; the task goes by the data source', async () => {
    const { samples } = await read({ type: 'docqa-rl', path });
    expect(samples.map(s => [s.id, s.task, s.question, s.documents[0]?.text, s.answers])).toEqual([
      [
        'docqa-rl-0',
        'docqa',
        'Who rows?',
        'Ann rows.\n\nBo <text>\nreads\n</text> aloud.',
        ['Therefore, the answer is Ann.'],
      ],
      ['docqa-rl-1', 'docmath', 'What is the rent times {two}?', '| rent | 12 |', ['Therefore, the answer is 24.0.']],
      [
        'docqa-rl-2',
        'choice',
        'What is the correct answer to this question: Who rows?\nChoices:\n(A) Ann\n(B) Bo\n(C) Cy\n(D) Di',
        'Bo rows. 天',
        ['The correct answer is (B)'],
      ],
    ]);
  });

  test('each template gives its prompt again, to the letter', async () => {
    const start = 'Please read the following text and answer the question below.\n\n<text>\n';
    const { samples } = await read({ type: 'docqa-rl', path, from: 2 });
    expect(renderPrompt(samples[0]!.template!, samples[0]!.question, samples[0]!.documents[0]!.text)).toBe(
      `${start}Bo rows. 天\n</text>\n\nWhat is the correct answer to this question: Who rows?\nChoices:\n(A) Ann\n(B) Bo\n(C) Cy\n` +
        '(D) Di\n\nFormat your response as follows: "The correct answer is (insert answer here)".',
    );
  });

  test.each([
    ['<text>\nD\n</text>\nQ?', '<text>\n{document}\n</text>\n{question}', 'Q?'],
    ['<text>\nD\n</text>\n\nQ?\n\n', '<text>\n{document}\n</text>\n\n{question}\n\n', 'Q?'],
    ['Read.\n<text>\nD\n</text>\n\nQ?\n\nFormat your response freely.', null, 'Q?'],
  ])('a prompt like %j', async (content, template, question) => {
    const record = { data_source: 'musique', prompt: [{ role: 'user', content }], reward_model: { ground_truth: 1 } };
    const [sample] = (await read({ type: 'docqa-rl', path: written('like.json', [record]) })).samples;
    if (template !== null) expect(sample?.template).toBe(template);
    expect(sample?.question).toBe(question);
    expect(renderPrompt(sample!.template!, sample!.question, 'D')).toBe(content);
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ data_source: 'gsm8k' }, /field data_source: expected one with long_toc_choices, .*found 'gsm8k'/],
    [{ prompt: [{ role: 'user', content: 'Q?' }] }, /field prompt\[0\]\.content: expected the document between <text>/],
    [{ prompt: [{ role: 'user', content: '<text>\nD\n</text>\n\nFormat your response' }] }, /expected the question/],
    [{ prompt: [{ role: 'user', content: '{question}<text>\nD\n</text>\n\nQ' }] }, /expected no \{document\}/],
    [{ prompt: [{ role: 'system', content: 'S' }] }, /field prompt\[0\]\.role/],
    [{ reward_model: {} }, /field reward_model\.ground_truth/],
  ])('%j is refused', async (other, message) => {
    const good = { data_source: 'docmath', prompt: [{ role: 'user', content: '<text>\nD\n</text>\n\nQ' }] };
    const record = { ...good, reward_model: { ground_truth: 'x' }, ...other };
    expect(await refusal({ type: 'docqa-rl', path: written('bad.json', [record]) })).toMatch(message);
  });
});

describe('narrativeqa', () => {
  const path = fixture('narrativeqa');

  test("the folder's stories", async () => {
    const { samples, summary } = await read({ type: 'narrativeqa', path, to: 3 });
    expect(samples).toEqual([
      {
        id: 'd1/0',
        question: 'Who rows the ferry?',
        documents: [{ title: 'The Ferry', text: 'The Project Ebook\n\nAnn rows the ferry to Voss – the end\n' }],
        answers: ['Ann does', 'Ann.'],
        task: 'docqa',
        trace: null,
        evidence: null,
      },
      expect.objectContaining({ id: 'd1/1', question: 'Where to, at last?', answers: ['To Voss'] }),
      expect.objectContaining({
        id: 'd2/2',
        answers: ['Bo'],
        documents: [
          {
            title: 'Harbour, The',
            text: '<html><pre>INT. HARBOUR\nBo waits in a café.\nFADE OUT</pre></html>\n',
          },
        ],
      }),
    ]);
    expect(summary.files.map(file => file.path.slice(path.length + 1))).toEqual([
      'qaps.csv',
      'documents.csv',
      'tmp/d1.content',
      'tmp/d2.content',
    ]);
  });

  test('a story that was not fetched', async () => {
    expect(await refusal({ type: 'narrativeqa', path })).toMatch(
      /qaps\.csv: record 3 .*expected the story in .*tmp\/d3\.content: run download_stories\.sh there, or take use: summary/,
    );
    const { samples, summary } = await read({ type: 'narrativeqa', path, onMalformed: 'skip' });
    expect([samples.length, summary.skippedCount]).toEqual([3, 1]);
  });

  test('summaries, of one split', async () => {
    const { samples, summary } = await read({ type: 'narrativeqa', path, use: 'summary', split: 'test' });
    expect(samples.map(s => [s.id, s.documents])).toEqual([
      ['d2/2', [{ title: 'Harbour, The', text: 'Bo waits at the harbour.' }]],
      ['d3/3', [{ title: 'Lost', text: 'A key is lost.' }]],
    ]);
    expect(summary.leftOut).toBe(2);
  });

  test('a folder without its tables', async () => {
    const alone = join(folder, 'alone');
    cpSync(fixture('narrativeqa/qaps.csv'), join(alone, 'qaps.csv'));
    expect(await refusal({ type: 'narrativeqa', path: alone })).toMatch(
      /documents\.csv: expected the whole folder from/,
    );
  });

  test("the Hub's records", async () => {
    const hub = fixture('narrativeqa-hub.jsonl');
    const [story] = (await read({ type: 'narrativeqa', path: hub })).samples;
    expect(story).toMatchObject({
      id: 'd1/0',
      answers: ['Ann does', 'Ann'],
      documents: [{ title: 'The Ferry', text: 'Ann rows the ferry to Voss.' }],
    });
    const [summary] = (await read({ type: 'narrativeqa', path: hub, use: 'summary' })).samples;
    expect(summary?.documents).toEqual([{ title: 'The Ferry', text: 'Ann rows the ferry.' }]);
    expect(await refusal({ type: 'narrativeqa', path: hub, split: 'test' })).toMatch(/expected no "split"/);
  });
});

describe('qasper', () => {
  test('answers as the official evaluator forms them, a document a section, evidence by section', async () => {
    const { samples } = await read({ type: 'qasper', path: fixture('qasper.json') });
    expect(samples.map(s => [s.id, s.answers, s.evidence])).toEqual([
      ['q-extractive', ['40, books', 'forty books'], [1, 2]],
      ['q-boolean', ['No', 'Yes'], null],
      ['q-none', ['Unanswerable'], []],
      ['q-abstract', ['nothing'], [0]],
    ]);
    expect(samples[0]?.documents).toEqual([
      { title: 'Rivers of text', text: 'We study rivers.' },
      { title: 'Introduction', text: 'Text flows.\n\nGutters align.' },
      { title: 'Method ::: Data', text: 'We use 40 books.' },
      { title: null, text: 'Thanks to Ann.' },
    ]);
  });

  test('papers as records, lists in columns, as the Hub has them', async () => {
    const answer = { unanswerable: false, extractive_spans: [], free_form_answer: 'forty', evidence: ['We use 40.'] };
    const paper = {
      id: '1',
      title: 'T',
      abstract: 'A',
      full_text: { section_name: ['Data', 'End'], paragraphs: [['We use 40.'], ['Bye.']] },
      qas: {
        question: ['How many?'],
        question_id: ['q'],
        answers: [{ answer: [answer], annotation_id: ['a'], worker_id: ['w'] }],
      },
    };
    const path = join(folder, 'papers.jsonl');
    writeFileSync(path, `${JSON.stringify(paper)}\n`);
    const { samples } = await read({ type: 'qasper', path });
    expect(samples).toEqual([expect.objectContaining({ id: 'q', answers: ['forty'], evidence: [1] })]);
  });

  test('a paper is refused whole, by its place and field', async () => {
    const path = written('paper.json', { a: 1, b: { title: 'T', abstract: '', full_text: [], qas: [{}] } });
    expect(await refusal({ type: 'qasper', path })).toMatch(/paper\.json: record 0 \("a"\): .*expected an object/);
    const { summary } = await read({ type: 'qasper', path, onMalformed: 'skip' });
    expect(summary.skipped.map(({ where, problem }) => `${where}: ${problem}`)).toEqual([
      expect.stringMatching(/"a"\): .*expected an object/),
      expect.stringMatching(/"b"\): field qas\[0\]\.question: /),
    ]);
    const nothing = { unanswerable: false, extractive_spans: [], yes_no: null, free_form_answer: '', evidence: [] };
    const qas = [{ question: 'Q', question_id: 'q', answers: [{ answer: nothing }] }];
    const unanswered = written('unanswered.json', { a: { title: 'T', abstract: 'A', full_text: [], qas } });
    expect(await refusal({ type: 'qasper', path: unanswered })).toMatch(
      /field qas\[0\]\.answers: an annotation without/,
    );
  });
});

describe('docmath', () => {
  test('paragraphs are documents, both kinds of evidence their places', async () => {
    const { samples } = await read({ type: 'docmath', path: fixture('docmath.json') });
    expect(samples).toEqual([
      {
        id: 'complong-testmini-0',
        question: 'What is the total rent?',
        documents: [
          { title: null, text: 'Rent in 2020 was 12.' },
          { title: null, text: '| year | rent |\n| 2021 | 13.5 |' },
          { title: null, text: 'Nothing else.' },
        ],
        answers: ['25.5'],
        task: 'docmath',
        trace: null,
        evidence: [0, 1],
      },
      expect.objectContaining({ id: 'simpshort-testmini-7', answers: ['True'], evidence: [] }),
    ]);
  });

  test('a hidden answer, and evidence beyond the paragraphs', async () => {
    const record = { question_id: 'a', question: 'q', paragraphs: ['p'], table_evidence: [1], ground_truth: 1 };
    expect(await refusal({ type: 'docmath', path: written('beyond.json', [record]) })).toMatch(/evidence 1: expected/);
    const hidden = { ...record, table_evidence: [], ground_truth: null };
    expect(await refusal({ type: 'docmath', path: written('hidden.json', [hidden]) })).toMatch(
      /field ground_truth: expected the answer, which the test splits hide/,
    );
  });
});

test('frames: the articles are documents, all of them needed', async () => {
  expect((await read({ type: 'frames', path: fixture('frames.jsonl') })).samples).toEqual([
    {
      id: 'frames-0',
      question: 'If Ann is the mother of Bo, who rows?',
      documents: [
        { title: 'Ann', text: 'Ann rows.' },
        { title: 'Bo', text: 'Bo is her son.' },
      ],
      answers: ['Ann'],
      task: 'docqa',
      trace: null,
      evidence: [0, 1],
    },
  ]);
  const addresses = [{ Prompt: 'Q', Answer: 'A', wiki_links: "['x']" }];
  expect(await refusal({ type: 'frames', path: written('links.json', addresses) })).toMatch(
    /field wiki_items: expected the articles/,
  );
});

describe('longbench', () => {
  const path = fixture('longbench.jsonl');

  test('one data set of a file that holds several', async () => {
    const { samples, summary } = await read({ type: 'longbench', path, subset: 'hotpotqa' });
    expect(samples).toEqual([
      {
        id: '0a1',
        question: 'Who rows?',
        documents: [{ title: null, text: 'Passage 1:\nAnn\nAnn rows.\n' }],
        answers: ['Ann', 'Ann Lind'],
        task: 'docqa',
        trace: null,
        evidence: null,
      },
    ]);
    expect(summary.leftOut).toBe(2);
  });

  test('a record that asks nothing is refused, unless it is of another data set', async () => {
    expect(await refusal({ type: 'longbench', path })).toMatch(/longbench\.jsonl: line 2: field input/);
    const more = join(folder, 'longbench.jsonl');
    cpSync(path, more);
    appendFileSync(more, '{"dataset": "musique"}\n');
    expect(await refusal({ type: 'longbench', path: more, subset: 'musique' })).toMatch(/line 4: field _id/);
  });

  describe('second version', () => {
    const second = {
      _id: '66f36490821e116aacb2cc22',
      domain: 'Single-Document QA',
      sub_domain: 'Financial',
      difficulty: 'easy',
      length: 'short',
      question: 'Which?',
      choice_A: '1',
      choice_B: 'Two, perhaps',
      choice_C: 3,
      choice_D: '4',
      answer: 'B',
      context: 'Two.',
    };

    test('a choice, its options under the question', async () => {
      const { samples } = await read({ type: 'longbench', path: written('v2.json', [second]) });
      expect(samples).toEqual([
        {
          id: '66f36490821e116aacb2cc22',
          question: 'Which?\nChoices:\n(A) 1\n(B) Two, perhaps\n(C) 3\n(D) 4',
          documents: [{ title: null, text: 'Two.' }],
          answers: ['B'],
          task: 'choice',
          trace: null,
          evidence: null,
        },
      ]);
    });

    test.each(['Single-Document QA', 'Financial', 'easy', 'short'])('a part of it: %s', async subset => {
      const other = { ...second, _id: 'x', domain: 'd', sub_domain: 's', difficulty: 'hard', length: 'long' };
      const { samples, summary } = await read({
        type: 'longbench',
        path: written('parts.json', [other, second]),
        subset,
      });
      expect(samples.map(s => s.id)).toEqual([second._id]);
      expect(summary.leftOut).toBe(1);
    });

    test.each<[string, object, RegExp]>([
      ['an answer that is no letter', { answer: 'Two, perhaps' }, /record 0 .*field answer: /],
      ['an option that is missing', { choice_D: null }, /record 0 .*field choice_D: .*found nothing/],
    ])('%s', async (_, change, message) => {
      expect(await refusal({ type: 'longbench', path: written('bad.json', [{ ...second, ...change }]) })).toMatch(
        message,
      );
    });
  });
});

describe('numbers, truth values and nulls where the published kinds have texts', () => {
  const base = { question: 'q', answer: 42.0 };
  test.each<[string, object, string, string[]]>([
    ['hotpotqa', { ...base, _id: null, id: 7, context: [['t', ['s']]], supporting_facts: [] }, '7', ['42']],
    [
      'musique',
      {
        ...base,
        id: 8,
        answer_aliases: null,
        answerable: null,
        paragraphs: [{ title: 't', paragraph_text: 'x', is_supporting: true, idx: null }],
        question_decomposition: [{ question: 'q', answer: 3 }],
      },
      '8',
      ['42'],
    ],
    [
      'musique',
      {
        ...base,
        id: 8,
        answer_aliases: [42.5, true],
        paragraphs: [{ title: 't', paragraph_text: 'x', is_supporting: true }],
        question_decomposition: [],
      },
      '8',
      ['42', '42.5', 'True'],
    ],
    [
      'docmath',
      { question_id: 9, question: 'q', paragraphs: ['p'], table_evidence: null, ground_truth: true },
      '9',
      ['True'],
    ],
    ['docmath', { question_id: 'a', question: 'q', paragraphs: ['p'], ground_truth: '12.5%' }, 'a', ['12.5%']],
    [
      'docmath',
      { question_id: 'a', question: 'q', paragraphs: ['p'], ground_truth: 1e21 },
      'a',
      ['1000000000000000000000'],
    ],
    ['docmath', { question_id: 'a', question: 'q', paragraphs: ['p'], ground_truth: -1.5e-7 }, 'a', ['-0.00000015']],
    ['frames', { Prompt: 'q', Answer: 1999, wiki_items: [{ title: null, text: 'x' }] }, 'frames-0', ['1999']],
    ['longbench', { _id: 3, input: 'q', context: 'c', answers: [12, '12'], all_classes: null }, '3', ['12', '12']],
    [
      'narrativeqa',
      { document: { id: 5, text: 'x', summary: null }, question: { text: 'q' }, answers: [{ text: 12 }] },
      '5/0',
      ['12'],
    ],
    [
      'docqa-rl',
      {
        data_source: 'docmath',
        prompt: [{ role: 'user', content: '<text>\nD\n</text>\nQ?' }],
        reward_model: { ground_truth: false },
      },
      'docqa-rl-0',
      ['False'],
    ],
  ])('%s: %j', async (type, record, id, answers) => {
    const { samples } = await read({ type, path: written('scalars.json', [record]) });
    expect(samples.map(s => [s.id, s.answers])).toEqual([[id, answers]]);
  });

  test.each<[string, object]>([
    ['hotpotqa', { id: 'x', question: 'q', context: [['t', ['s']]], supporting_facts: [] }],
    ['docmath', { question_id: 'x', question: 'q', paragraphs: ['p'] }],
    ['frames', { Prompt: 'q', wiki_items: [{ text: 'x' }] }],
    ['longbench', { _id: 'x', input: 'q', context: 'c' }],
  ])('what is no gold at all is refused: %s', async (type, record) => {
    const field =
      type === 'frames' ? 'Answer' : type === 'docmath' ? 'ground_truth' : type === 'longbench' ? 'answers' : 'answer';
    for (const gold of ['', ' ', null, { a: 1 }, [], [['a']]]) {
      const path = written('gold.json', [{ ...record, [field]: gold }]);
      expect(await refusal({ type, path })).toMatch(new RegExp(`record 0 \\(line 1\\): field ${field}`));
    }
  });
});
