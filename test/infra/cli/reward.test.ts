/** `longhaul reward …`, in this process. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rewardCommand } from '../../../infra/cli/reward';

let folder: string;
let printed: string;
const path = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-reward-'));
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    printed += String(text);
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => rewardCommand().parseAsync(args, { from: 'user' });

const CASES = [
  { task: 'docqa', response: '<think>Hm.</think>Therefore, the answer is Paris.', gold: 'Paris' },
  { task: 'docqa', response: '<think>Hm.</think>Therefore, the answer is the.', gold: ['Rome', 'Paris'], id: 7 },
  { task: 'docmath', response: '</think>the answer is 1000', gold: 'the answer is 1' },
  { task: 'choice', response: '</think>The correct answer is (B)', gold: 'The correct answer is (B)' },
  { task: 'docqa', response: 'Paris', gold: 'Paris' },
];

test('a misspelt field is named with what may have been meant', async () => {
  const line = JSON.stringify({ task: 'docqa', respons: 'Paris', gold: 'Paris' });
  await expect(scored('hardened', [line])).rejects.toThrow(
    /response: expected .*there is "respons", did you mean "response"\?/,
  );
});

async function scored(scorer: string, lines: string[]): Promise<unknown[]> {
  await writeFile(path('in'), lines.join('\n'));
  await run('score', '--scorer', scorer, '--input', path('in'), '--output', path('out'));
  const text = await readFile(path('out'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown);
}

const LINES = CASES.map(record => JSON.stringify(record));

describe('score', () => {
  test('what is known besides the text, and golds that are no texts', async () => {
    const lines = [
      { task: 'docqa', response: 'The answer is Paris', gold: 'Paris', promptOpensThinking: true },
      { task: 'docqa', response: 'The answer is Paris', gold: 'Paris', finish: 'length' },
      { task: 'docqa', response: 'The answer is Paris', gold: 'Paris', finish: 'stop' },
      { task: 'choice', response: '(B)', gold: 'Paris', question: '(A) Rome (B) Paris' },
      { task: 'docmath', response: 'The answer is 42', gold: 42 },
      { task: 'docmath', response: 'The answer is yes', gold: [true] },
    ];
    const scores = await scored(
      'hardened',
      lines.map(line => JSON.stringify(line)),
    );
    expect(scores).toEqual([
      { score: 0, extracted: null },
      { score: 0, extracted: null },
      { score: 1, extracted: 'Paris' },
      { score: 1, extracted: 'B' },
      { score: 1, extracted: '42' },
      { score: 1, extracted: 'yes' },
    ]);
  });

  test('hardened: a score and an extraction for each line, in order', async () => {
    expect(await scored('hardened', LINES)).toEqual([
      { score: 1, extracted: 'Paris' },
      { score: 0, extracted: 'the' },
      { score: 0, extracted: '1000' },
      { score: 1, extracted: 'B' },
      { score: 0, extracted: null },
    ]);
  });

  test('qwenlong-l1: the authors’ scores, holes included', async () => {
    expect(await scored('qwenlong-l1', LINES)).toEqual([
      { score: 1, extracted: 'Paris' },
      { score: 1, extracted: 'the' },
      { score: 1, extracted: '1000' },
      { score: 1, extracted: 'B' },
      { score: 0, extracted: null },
    ]);
  });

  test('hardened is what is used unless another is named, and - is standard output', async () => {
    await writeFile(path('in'), `${LINES[1]}\n\n`);
    await run('score', '--input', path('in'), '--output', '-');
    expect(printed).toBe('{"score":0,"extracted":"the"}\n');
  });

  test('golds and responses as tables have them; what was made of them is told', async () => {
    const told: string[] = [];
    jest.spyOn(process.stderr, 'write').mockImplementation(text => told.push(String(text)) > 0);
    const said = (response: unknown, gold: unknown, task = 'docqa') =>
      JSON.stringify({ task, response, gold, note: 1, n: null });
    const lines = [
      said('the answer is 42', 42),
      said('the answer is 1999', ['x', 1999, null]),
      said('the answer is True', true),
      // A separator that only some take for the end of a line, and a number of more digits than a double has.
      said('the answer is 12345678901234567\u2028.', 0).replace('"gold":0', '"gold":12345678901234567'),
      said(7, 7, 'docmath'),
    ];
    await writeFile(path('in'), `\uFEFF${lines.join('\r\n')}`);
    await run('score', '--input', path('in'), '--output', '-');
    const rows = printed
      .trim()
      .split('\n')
      .map(row => JSON.parse(row) as { score: number });
    expect(rows.map(({ score }) => score)).toEqual([1, 1, 1, 1, 0]);
    expect(told).toEqual([
      'numbers and truth values read as texts: "gold" in 4 records, "response" in 1 record\n',
      'fields passed over: "note" in 5 records\n',
    ]);
  });

  test('many lines stay in order', async () => {
    const lines = Array.from({ length: 5_000 }, (_, i) =>
      JSON.stringify({ task: 'docmath', response: `the answer is ${i}`, gold: String(i % 2 ? i : -i - 1) }),
    );
    const rows = await scored('hardened', lines);
    expect(rows).toEqual(lines.map((_, i) => ({ score: i % 2, extracted: String(i) })));
  });

  test.each([
    ['{"task": "docqa", "response": ', ':6: not JSON'],
    ['{"task": "essay", "response": "x", "gold": "y"}', ':6: task: '],
    ['{"task": "docqa", "gold": "y"}', ':6: response: '],
    ['{"task": "docqa", "response": "x"}', ':6: gold.0: expected a text, a number or a truth value, found nothing'],
    ['{"task": "docqa", "response": "x", "gold": null}', ':6: gold: expected an answer'],
    ['{"task": "docqa", "response": "x", "gold": []}', ':6: gold: expected an answer, found an empty list'],
    ['{"task": "docqa", "response": "x", "gold": ""}', ':6: gold.0: expected a text, found an empty one'],
    ['{"task": "docqa", "response": "x", "gold": {"a": 1}}', ':6: gold.0: '],
    ['{"task": "docqa", "response": "x", "gold": [["a"]]}', ':6: gold.0: '],
    ['{"task": "docqa", "response": null, "gold": "x"}', ':6: response: '],
    ['[]', ':6: the record: '],
  ])('%s is reported with file, line and field, and nothing is written', async (line, message) => {
    await expect(scored('hardened', [...LINES, line])).rejects.toThrow(`${path('in')}${message}`);
    expect(await readdir(folder)).toEqual(['in']);
  });

  test('a file that is not there, and a place that cannot be written to', async () => {
    await expect(run('score', '--input', path('none'), '--output', path('out'))).rejects.toThrow('none: no such file');
    await writeFile(path('in'), LINES[0]!);
    await expect(run('score', '--input', path('in'), '--output', path('no/out'))).rejects.toThrow('cannot be written');
  });
});

describe('explain', () => {
  test('shows extraction, normal forms, rule and verdict under both scorers', async () => {
    const response = '</think>the answer is not Paris.';
    await run('explain', '--task', 'docqa', '--gold', 'Paris', '--response', response);
    expect(printed).toBe(
      [
        'hardened: 0',
        '  extracted  "not Paris"',
        '  rule       text: does not hold',
        '    answer   "not paris"',
        '    gold     "paris"',
        "  because    as text, 'not paris' is not 'paris'",
        '',
        'qwenlong-l1: 1',
        '  extracted  "not Paris"',
        '  rule       either is a part of the other: holds',
        '    answer   "not paris"',
        '    gold     "paris"',
        "  because    either is a part of the other: 'not paris' and 'paris'",
        '',
      ].join('\n'),
    );
  });

  test('one scorer, several golds, a response from a file', async () => {
    await writeFile(path('response'), 'the answer is 3 May 1987\n');
    const golds = ['--gold', '1987', '--gold', 'May 3, 1987'];
    await run('explain', '--task', 'docqa', ...golds, '--file', path('response'), '--scorer', 'hardened');
    expect(printed).toContain('hardened: 1');
    expect(printed).toContain('  rule       text: does not hold');
    expect(printed).toContain('  rule       dates: holds');
    expect(printed).not.toContain('qwenlong-l1');
  });

  test('a response is given in one way', async () => {
    const flags = ['explain', '--task', 'docqa', '--gold', 'x'];
    await expect(run(...flags)).rejects.toThrow('expected either --response TEXT or --file FILE');
    await expect(run(...flags, '--file', path('none'))).rejects.toThrow('cannot be read (ENOENT)');
  });
});

test('explain says what is known besides the text', async () => {
  const asked = [
    'explain',
    '--scorer',
    'hardened',
    '--task',
    'docqa',
    '--gold',
    'Paris',
    '--response',
    'The answer is Paris',
  ];
  await run(...asked, '--prompt-opens-thinking');
  expect(printed).toContain('because    no answer found: it ends inside <think>');
  printed = '';
  await run(...asked, '--finish', 'length');
  expect(printed).toContain('because    no answer found: it was cut off before the answer ended');
  printed = '';
  await run('explain', '--task', 'choice', '--gold', 'Paris', '--response', '(B)', '--question', '(A) Rome (B) Paris');
  expect(printed).toContain(`because    states 'B', which the gold answer "Paris" stands for`);
});
