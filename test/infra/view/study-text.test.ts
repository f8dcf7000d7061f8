import type { CellProgress, Progress, StudyProgress } from '../../../activities/contract/index.js';
import { studyBlock, studyChanges } from '../../../infra/view/study-text.js';

const cell = (run: string, state: CellProgress['state'], error: string | null = null): CellProgress => ({
  ...{ run, state, error },
  variant: 'a',
  seed: 1,
});
const STUDY: StudyProgress = {
  study: 'trial',
  state: 'running',
  cells: [
    cell('trial.a.1', 'done'),
    cell('trial.long.1', 'running'),
    cell('trial.b.1', 'failed', 'no data'),
    cell('trial.c.1', 'waiting'),
  ],
  report: null,
};
const stage = (name: string, more: object) => ({
  ...{ name, kind: 'phase', state: 'done', attempt: 1, workflowId: null, latest: null },
  ...{ startedAt: null, finishedAt: null, error: null },
  ...more,
});
const RUN = {
  run: 'trial.long.1',
  state: 'running',
  stages: [
    stage('warmup', { takenFrom: 'trial.a.1' }),
    stage('phase-1', { state: 'running', latest: { step: 3, steps: 9 } }),
  ],
  table: [],
  advice: null,
  policy: null,
} as unknown as Progress;

test('a line for each run: what it is at, and what it took', () => {
  expect(studyBlock(STUDY, new Map([['trial.long.1', RUN]]))).toEqual([
    'trial: running, 1 of 4 runs done',
    '  ✓ trial.a.1     done',
    '  ▸ trial.long.1  running phase-1, step 3/9, 1 part of other runs',
    '  ✗ trial.b.1     failed: no data',
    '  · trial.c.1',
  ]);
});

test('a run that says nothing of itself for a moment is running', () => {
  expect(studyBlock(STUDY, new Map())[2]).toBe('  ▸ trial.long.1  running');
});

test('what is new, a line each', () => {
  expect(studyChanges(null, STUDY)).toEqual([
    'trial: running',
    'trial.a.1: done',
    'trial.long.1: running',
    'trial.b.1: failed: no data',
  ]);
  const [first, second, ...rest] = STUDY.cells;
  const later = { ...STUDY, cells: [first!, { ...second!, state: 'done' as const }, ...rest] };
  expect(studyChanges(STUDY, later)).toEqual(['trial.long.1: done']);
  expect(studyChanges(later, later)).toEqual([]);
});
