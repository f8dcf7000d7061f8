/** `longhaul show` over the store of a small run: what it prints, and what it says where something is not there. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScoredRollouts } from '../../../activities/artifacts';
import { MissingArtifactError, readLines, refOf } from '../../../activities/store';
import { type ShowFlags, showStep } from '../../../infra/cli/show';
import { type GroupData, groupLine, groupText } from '../../../infra/cli/show/step-text';
import { watchedStore } from '../../../infra/ui/watched-store';
import { screenOn } from '../../../infra/view/screen';
import { COLOURED, PLAIN } from '../../../infra/view/style';
import { widthOf } from '../../../infra/view/text-width';
import { driveRun } from '../../support/drive';
import { type SmallRun, smallRun } from '../../support/small-run';

let small: SmallRun;
beforeAll(async () => {
  small = await smallRun();
  await driveRun(small);
});
afterAll(() => small.remove());

async function shown(flags: Partial<ShowFlags> = {}, run = 'run', root = small.store.root, models = small.deps.models) {
  let written = '';
  const screen = screenOn({
    write: (chunk: string | Uint8Array) => {
      written += String(chunk);
      return true;
    },
  });
  const store = await watchedStore(root);
  await showStep({ store, models, screen }, run, { only: 'all', ...flags });
  return written;
}

const scoresOf = async (step: number) => {
  const uri = `store:runs/run/phase-1/1/steps/${step}/scores-0.jsonl`;
  return readLines<ScoredRollouts>(small.store, refOf(uri, await readFile(small.store.placeOf(uri), 'utf8')));
};

test('the last step of the last stage, unless told', async () => {
  expect(await shown()).toMatch(/^run: phase-2, step 3\ndapo: \d+ groups drawn · /);
  expect(await shown({ step: '1' })).toMatch(/^run: phase-2, step 1\n/);
  expect(await shown({ stage: 'phase-1' })).toMatch(/^run: phase-1, step 3\n/);
  expect(await shown({ stage: 'warmup' })).toBe(
    'run: warmup, step 3\nSupervised warm-up on 5 examples; it samples no responses.\n',
  );
});

test('every response with its text, its reward, and why', async () => {
  const text = await shown({ stage: 'phase-1', step: '1' });
  for (const { id, responses } of await scoresOf(1)) {
    expect(text).toContain(`  ${id}  `);
    for (const { text: said, reward, reason, rule } of responses) {
      expect(text).toContain(`reward ${reward}`);
      for (const line of said.split('\n')) expect(text).toContain(line.trimEnd());
      expect(text).toContain(`↳ rule ${rule}: ${reason}`);
    }
  }
});

test('one question alone, by its place, its id, or its beginning; groups of one kind', async () => {
  const [first] = await scoresOf(1);
  const at = { stage: 'phase-1', step: '1' };
  const alone = await shown({ ...at, question: '1' });
  expect(alone).toContain(`${first!.id}  `);
  expect(alone.match(/^ {4}prompt, /gm)).toHaveLength(1);
  expect(await shown({ ...at, question: first!.id })).toBe(alone);
  const mixed = await shown({ ...at, only: 'mixed' });
  const [, differ] = /(\d+) whose rewards differ/.exec(mixed)!;
  expect(mixed.match(/^ {4}prompt, /gm)?.length ?? 0).toBe(Number(differ));
  await expect(shown({ ...at, question: 'nobody' })).rejects.toThrow(
    /^--question nobody: this step has the places 1 to \d+, with s/,
  );
});

test('as JSON it is a group a line, with what the page has', async () => {
  const lines = (await shown({ stage: 'phase-1', step: '1', json: true })).trim().split('\n');
  const groups = lines.map(line => JSON.parse(line) as GroupData & { place: number });
  expect(groups.map(({ place }) => place)).toEqual(groups.map((_, k) => k + 1));
  expect(groups[0]).toMatchObject({ id: expect.any(String), prompt: expect.any(Array), responses: expect.any(Array) });
});

test.each([
  [{ step: '9' }, 'The run "run" has no step 9: phase-2 has 1 to 3, phase-1 has 1 to 3, warmup has 1 to 3.'],
  [{ stage: 'phase-7' }, '--stage phase-7: the run "run" has warmup, phase-1, phase-2.'],
  [{ stage: 'phase-1', attempt: '4' }, 'The run "run" has no step: none is logged yet.'],
  [{ attempt: '1' }, '--attempt 1: say of which stage, with --stage.'],
  [{ step: '0' }, '--step 0: expected a whole number from 1.'],
])('%j: %s', async (flags, message) => {
  await expect(shown(flags)).rejects.toThrow(message);
});

test('a run that is not there is said, and damage is, without any change to the store', async () => {
  await expect(shown({}, 'other')).rejects.toThrow('The store has no run "other".');
  const copy = join(small.folder, 'copy');
  await cp(small.store.root, copy, { recursive: true });
  try {
    const file = join(copy, 'runs/run/phase-2/1/steps/3/scores-0.jsonl');
    await writeFile(file, 'not what was published\n');
    await expect(shown({}, 'run', copy)).rejects.toThrow('scores-0.jsonl is damaged');
    expect(await readFile(file, 'utf8')).toBe('not what was published\n');
  } finally {
    await rm(copy, { recursive: true });
  }
});

test('without its tokenizer responses are shown as they were scored', async () => {
  const gone = new MissingArtifactError('store:runs/run/base.json', 'moved away');
  const other = await smallRun();
  try {
    await cp(small.store.root, other.store.root, { recursive: true });
    const models = { ...small.deps.models, open: async () => Promise.reject(gone) };
    const text = await shown({ question: '1' }, 'run', other.store.root, models);
    expect(text).toContain(gone.message);
    expect(text).not.toContain('prompt, ');
    expect(text).toContain('reward ');
  } finally {
    await other.remove();
  }
});

describe('laid out', () => {
  const response = { text: '', tokens: null, length: 3, finish: 'stop' as const, advantage: null };
  const group = (responses: object[], prompt = 'short'): GroupData =>
    ({
      id: 'q',
      policy: 'p',
      prompt: [{ kind: 'text', text: prompt, number: null, isEvidence: false }],
      promptTokens: 9,
      problems: [],
      responses: responses.map(one => ({ ...response, ...one })),
    }) as unknown as GroupData;

  test('a long prompt is folded to its end unless the whole is wanted', () => {
    const long = group([], `${'x '.repeat(1000)}the question?`);
    const laid = { style: PLAIN, width: Number.POSITIVE_INFINITY, whole: false };
    const [head, ...lines] = groupText(long, laid);
    expect(head).toBe('    prompt, 9 tokens, its end (--whole: all of it)');
    expect(lines.join('').length).toBeLessThan(420);
    expect(lines.at(-1)).toMatch(/the question\?$/);
    expect(groupText(long, { ...laid, whole: true }).join('').length).toBeGreaterThan(2000);
  });

  test('lines are broken to the width, wide characters counted as two', () => {
    const told = group([{ text: '长文本推理'.repeat(20), reward: 1, rule: 1, reason: 'it is the gold answer' }]);
    const lines = groupText(told, { style: PLAIN, width: 40, whole: false });
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(40);
    expect(lines.map(line => line.trim()).join('')).toContain('长文本推理'.repeat(3));
  });

  test('what a model writes is no command to the terminal', () => {
    const told = group([
      { text: 'red \x1b[31m and a bell \x07', reward: 0, rule: 0, reason: 'none', extracted: '\x1b[2J' },
    ]);
    const judge = { verdict: 'NO', reply: '\x1b]0;title\x07' };
    const lines = groupText({ ...told, responses: [{ ...told.responses[0]!, judge }] } as GroupData, {
      style: PLAIN,
      width: 80,
      whole: false,
    });
    expect(lines.join('\n')).not.toMatch(/[^\P{Cc}\n]/u);
    expect(lines.join('\n')).toContain('judge says NO');
  });

  test('rewards at a glance differ without colours too', () => {
    const row = {
      id: 'q-1',
      origin: 'carried',
      round: 0,
      line: 0,
      dropped: null,
      reason: null,
      isTrained: true,
      meanReward: 0.5,
    };
    const rewards = [1, 0, 0.5, null];
    expect(groupLine(3, { ...row, rewards } as never, PLAIN)).toBe('  3  ●○◐·  0.5  q-1  carried  trained on');
    expect(groupLine(3, { ...row, rewards } as never, COLOURED)).toContain('\x1b[32m●\x1b[0m');
  });
});
