/** A study's progress as text: pure functions from what the workflows answer to lines. */
import type { CellProgress, Progress, StudyProgress } from '../../activities/contract/index.js';
import { stateText } from './progress-text.js';

const MARK: Record<CellProgress['state'], string> = { waiting: '·', running: '▸', done: '✓', failed: '✗' };

/** The whole picture, a line a run. @param running what the runs under way say of themselves */
export function studyBlock({ study, state, cells }: StudyProgress, running: ReadonlyMap<string, Progress>): string[] {
  const done = cells.filter(cell => cell.state === 'done').length;
  const width = Math.max(0, ...cells.map(({ run }) => run.length));
  return [
    `${study}: ${state}, ${done} of ${cells.length} runs done`,
    ...cells.map(cell =>
      `  ${MARK[cell.state]} ${cell.run.padEnd(width)}  ${cellText(cell, running.get(cell.run))}`.trimEnd(),
    ),
  ];
}

/** What is new since `before` (null: everything). */
export function studyChanges(before: StudyProgress | null, now: StudyProgress): string[] {
  const lines = before?.state === now.state ? [] : [`${now.study}: ${now.state}`];
  const moved = now.cells.filter(({ run, state }) => {
    const earlier = before?.cells.find(cell => cell.run === run)?.state ?? 'waiting';
    return earlier !== state;
  });
  return [...lines, ...moved.map(cell => `${cell.run}: ${cellText(cell, undefined) || cell.state}`)];
}

function cellText({ state, error }: CellProgress, progress: Progress | undefined): string {
  if (state === 'failed') return `failed: ${error}`;
  if (state !== 'running') return state === 'done' ? 'done' : '';
  if (!progress) return 'running';
  const stage = progress.stages.find(one => one.state === 'running');
  const taken = progress.stages.filter(({ takenFrom }) => takenFrom !== undefined).length;
  return [
    stateText(progress),
    stage?.latest && `step ${stage.latest.step}/${stage.latest.steps}`,
    taken > 0 && `${taken} ${taken === 1 ? 'part' : 'parts'} of other runs`,
  ]
    .filter(Boolean)
    .join(', ');
}
