import type { EvaluationRow, Progress, StageProgress, StepReport } from '../../../activities/contract';
import { runTable, shareDone } from '../../../infra/view/run-table';
import { SeenSteps } from '../../../infra/view/seen-steps';
import { COLOURED, PLAIN } from '../../../infra/view/style';
import { widthOf } from '../../../infra/view/text-width';
import { StepClock } from '../../../infra/view/time-left';

const report = (step: number, steps: number, reward: number | null): StepReport => ({
  ...{ step, steps, reward, passRate: reward, loss: 0.01234, gradNorm: 1, entropy: 0.5 },
  ...{ tokensPerSecond: 812.4, seconds: 2, effectiveGroups: 8, carriedEffectiveGroups: 1, droppedGroups: 2 },
});
const stage = (name: string, more: Partial<StageProgress> = {}): StageProgress => ({
  name,
  kind: name.startsWith('phase') ? 'phase' : name === 'warmup' ? 'warmup' : 'evaluation',
  ...{ state: 'waiting', attempt: 1, workflowId: null, latest: null, startedAt: null, finishedAt: null, error: null },
  ...more,
});
const progressOf = (stages: StageProgress[], more: Partial<Progress> = {}): Progress => ({
  ...{ run: 'tiny', state: 'running', stages, table: [], advice: null, policy: null },
  ...more,
});
const row = (policy: string, set: string, score: number): EvaluationRow => ({
  ...{ policy, set, items: 200, score, low: score - 2, high: score + 2, meanPromptTokens: 107, uri: 'store:x' },
});

const planned = { 'phase-1': 10, 'phase-2': 20 };

/** The picture after phase 1 has been seen at each of these rewards. */
function pictureOf(rewards: number[], more: Partial<StageProgress> = {}, also: Partial<Progress> = {}) {
  const [clock, seen] = [new StepClock(planned), new SeenSteps()];
  const stages = (k: number) => [
    stage('evaluation/base', { state: 'done' }),
    stage('warmup', { state: 'done', latest: report(30, 30, null) }),
    stage('phase-1', { state: 'running', latest: report(k + 1, 10, rewards[k]!), ...more }),
    stage('phase-2'),
  ];
  let progress = progressOf(stages(0), also);
  let left = clock.left(progress);
  rewards.forEach((_, k) => {
    progress = progressOf(stages(k), also);
    left = clock.left(progress);
    seen.note(progress);
  });
  return { progress, left, seen, planned };
}

const LEARNING = pictureOf([0, 0.125, 0.25, 0.375, 0.5]);

test('a wide terminal has a bar for the run, and a row a stage with its curve', () => {
  expect(runTable(LEARNING, 120, PLAIN).join('\n')).toBe(`\
tiny: running phase-1, about 50 s left
  ███████████████████████▍░░░░░░░░░░░░░░░░ 58 %
    stage                           step  reward  reward, or loss  pass    loss  tokens/s  left
  ✓ evaluation/base
  ✓ warmup           ████████████  30/30          ▁                      0.0123
  ▸ phase-1          ██████░░░░░░   5/10   0.500  ▁▃▅▆█            50 %  0.0123       812  10 s
  · phase-2          ░░░░░░░░░░░░`);
});

test.each([
  [80, 'stage                           step  reward  reward, or loss  pass  left'],
  [60, 'stage                           step  reward  left'],
  [50, 'stage                           step  reward'],
  [40, 'stage             step'],
  [20, 'stage'],
])('%d columns show what fits, the least telling left out first', (width, columns) => {
  const lines = runTable(LEARNING, width, PLAIN);
  expect(lines).toContain(`    ${columns}`);
  expect(Math.max(...lines.slice(2).map(widthOf))).toBeLessThanOrEqual(width);
});

test('scores stand below as they come in, until the run is done and they are printed', () => {
  const table = [row('base', '24-facts', 0), row('sft', '24-facts', 78)];
  const shown = runTable(pictureOf([0.5], {}, { table }), 120, PLAIN).slice(-4);
  expect(shown.join('\n')).toBe(`\

score % [95 % interval]  24-facts (107 tokens, n=200)
base                     0.0 [-2.0, 2.0]
sft                      78.0 [76.0, 80.0]`);
  expect(
    runTable(pictureOf([0.5], {}, { table }), 50, PLAIN)
      .slice(-4)
      .join('\n'),
  ).toBe(`\

score %  24-facts
base     0.0
sft      78.0`);
  expect(runTable(pictureOf([0.5], {}, { table, state: 'done' }), 120, PLAIN).join()).not.toContain('interval');
});

test('what is wrong with a stage, and what a judge was asked, stand below its row', () => {
  const judge = { asked: 12, cached: 0, failed: 1, promptTokens: 1200, completionTokens: 34 };
  const latest = { ...report(1, 10, 0.5), judge, unscoredGroups: 2 };
  expect(runTable(pictureOf([0.5], { latest }), 100, PLAIN)).toContain(
    '      judge 12 asked, 1,234 tokens, 2 groups unscored',
  );
  const failed = pictureOf([0.5], { state: 'failed', attempt: 2, error: 'no signal in 3 steps' });
  const lines = runTable(failed, 100, PLAIN);
  expect(lines.find(line => line.includes('phase-1 (2)'))).toMatch(/^ {2}✗ phase-1 \(2\)/);
  expect(lines).toContain('      no signal in 3 steps');
});

test('a replayed stage begins a new curve', () => {
  const seen = new SeenSteps();
  seen.note(progressOf([stage('phase-1', { latest: report(1, 3, 0.5) })]));
  seen.note(progressOf([stage('phase-1', { latest: report(1, 3, 0.25), attempt: 2 })]));
  seen.note(progressOf([stage('phase-1', { latest: report(1, 3, 0.25), attempt: 2 })]));
  expect(seen.values('phase-1', 1, 'reward')).toEqual([0.5]);
  expect(seen.values('phase-1', 2, 'reward')).toEqual([0.25]);
});

test('colours change no width', () => {
  const [plain, coloured] = [PLAIN, COLOURED].map(style => runTable(LEARNING, 100, style));
  expect(coloured!.map(widthOf)).toEqual(plain!.map(widthOf));
  expect(coloured!.join()).toContain('\x1b[32m✓\x1b[0m');
});

test('how much of a run is done is said where it is known', () => {
  expect(shareDone(progressOf([]), {})).toBeNull();
  expect(shareDone(progressOf([stage('warmup'), stage('phase-1')]), planned)).toBeNull();
  expect(shareDone(LEARNING.progress, planned)).toBe(35 / 60);
  const over = [stage('warmup', { state: 'skipped' }), stage('phase-1', { state: 'done', latest: report(10, 10, 1) })];
  expect(shareDone(progressOf(over), {})).toBe(1);
});
