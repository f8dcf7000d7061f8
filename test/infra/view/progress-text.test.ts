import type { EvaluationRow, Progress, StageProgress, StepReport } from '../../../activities/contract/index';
import { duration, evaluationTable, progressChanges, stageNotes } from '../../../infra/view/progress-text';
import { StepClock } from '../../../infra/view/time-left';

const step = (at: number, of: number, seconds: number): StepReport => ({
  step: at,
  steps: of,
  reward: 0.375,
  passRate: 0.38,
  loss: 0.01234,
  gradNorm: 1,
  entropy: 0.5,
  tokensPerSecond: 812.4,
  seconds,
  effectiveGroups: 8,
  carriedEffectiveGroups: 1,
  droppedGroups: 2,
});
const stage = (name: string, more: Partial<StageProgress> = {}): StageProgress => ({
  name,
  kind: name.startsWith('phase') ? 'phase' : name === 'warmup' ? 'warmup' : 'evaluation',
  state: 'waiting',
  attempt: 1,
  workflowId: null,
  latest: null,
  startedAt: null,
  finishedAt: null,
  error: null,
  ...more,
});
const progress = (stages: StageProgress[], more: Partial<Progress> = {}): Progress => ({
  run: 'tiny',
  state: 'running',
  stages,
  table: [],
  advice: null,
  policy: null,
  ...more,
});

const warm = { ...step(30, 30, 1), reward: null, passRate: null };
const RECORDED = [
  progress([stage('warmup', { state: 'running' }), stage('phase-1'), stage('phase-2')]),
  progress([
    stage('warmup', { state: 'done', latest: warm }),
    stage('phase-1', { state: 'running' }),
    stage('phase-2'),
  ]),
  progress([
    stage('warmup', { state: 'done', latest: warm }),
    stage('phase-1', { state: 'running', latest: step(3, 40, 2) }),
    stage('phase-2'),
  ]),
  progress(
    [
      stage('warmup', { state: 'done', latest: warm }),
      stage('phase-1', { state: 'failed', latest: step(4, 40, 4), attempt: 2, error: 'no signal in 3 steps' }),
      stage('phase-2'),
    ],
    { state: 'awaiting-replay' },
  ),
];

test('what a judge was asked is told, where it was', () => {
  const judge = { asked: 12, cached: 3, failed: 1, promptTokens: 1200, completionTokens: 34 };
  const told = (more: Partial<StepReport>) => {
    const latest = { ...step(1, 4, 1), ...more };
    const told = stage('phase-1', { state: 'running', latest });
    const [, line] = progressChanges(null, progress([told]), { run: null, stages: {} });
    expect(line).toContain(stageNotes(told));
    return line;
  };
  expect(told({ judge, unscoredGroups: 2 })).toContain(
    'loss 0.0123, judge 12 asked, 3 cached, 1,234 tokens, 2 groups unscored, 812 tokens/s',
  );
  expect(told({ judge: { asked: 0, cached: 3, failed: 0, promptTokens: 0, completionTokens: 0 } })).toContain(
    'loss 0.0123, judge 3 cached, 812',
  );
  expect(told({ unscoredGroups: 1 })).toContain('loss 0.0123, 1 group unscored, 812');
  expect(told({ unscoredGroups: 0 })).toContain('loss 0.0123, 812');
});

test('without a terminal only changes are told, a line each', () => {
  const clock = new StepClock({ 'phase-1': 40, 'phase-2': 10 });
  const told = RECORDED.flatMap((one, i) => progressChanges(RECORDED[i - 1] ?? null, one, clock.left(one)));
  expect(told.join('\n')).toBe(`\
tiny: running warmup
warmup: running
warmup: done, step 30/30, loss 0.0123
phase-1: running
phase-1: running, step 3/40, reward 0.375, pass rate 38 %, loss 0.0123, 812 tokens/s, 1 min 14 s left
tiny: waiting for a replay
phase-1: failed, attempt 2, step 4/40, reward 0.375, pass rate 38 %, loss 0.0123, no signal in 3 steps`);
  expect(progressChanges(RECORDED[2]!, RECORDED[2]!, clock.left(RECORDED[2]!))).toEqual([]);
});

test('scores are told as they come in, a line each', () => {
  const row = (policy: string, set: string) =>
    ({ policy, set, items: 9, score: 50, low: 21.2, high: 78.8 }) as EvaluationRow;
  const before = progress([], { table: [row('base', 'short')] });
  const now = progress([], { table: [row('base', 'short'), row('base', 'long'), row('sft', 'short')] });
  expect(progressChanges(before, now, { run: null, stages: {} })).toEqual([
    'evaluation/base: long 50.0 [21.2, 78.8]',
    'evaluation/sft: short 50.0 [21.2, 78.8]',
  ]);
});

test('the time left is by the median step, so one slow step does not upset it', () => {
  const clock = new StepClock();
  const at = (n: number, seconds: number) =>
    progress([stage('phase-1', { state: 'running', latest: step(n, 10, seconds) })]);
  for (const [n, seconds] of [
    [1, 2],
    [2, 2],
    [3, 100],
    [4, 2],
  ] as const)
    clock.left(at(n, seconds));
  expect(clock.left(at(5, 2)).run).toBe(10);
});

test('while some stage has an unknown number of steps nothing is said of the whole run', () => {
  const clock = new StepClock();
  const seen = progress([stage('phase-1', { state: 'running', latest: step(5, 10, 2) }), stage('phase-2')]);
  expect(clock.left(seen)).toMatchObject({ run: null, stages: { 'phase-1': 10, 'phase-2': null } });
});

test('the table has policies down and sets across', () => {
  const row = (policy: string, set: string, score: number, meanPromptTokens: number): EvaluationRow => ({
    policy,
    set,
    items: 96,
    score,
    low: score - 5,
    high: score + 5,
    meanPromptTokens,
    uri: 'store:x',
  });
  const rows = [row('base', 'short', 10, 70.4), row('base', 'long', 5, 485), row('sft', 'short', 88.25, 70.4)];
  expect(evaluationTable(rows).join('\n')).toBe(`\
score % [95 % interval]  short (70 tokens, n=96)  long (485 tokens, n=96)
base                     10.0 [5.0, 15.0]         5.0 [0.0, 10.0]
sft                      88.3 [83.3, 93.3]`);
});

test.each([
  [0, '0 s'],
  [59.6, '1 min 0 s'],
  [185, '3 min 5 s'],
  [7800, '2 h 10 min'],
])('%d s is %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
