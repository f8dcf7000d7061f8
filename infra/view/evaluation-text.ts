/** An evaluation's progress as text: pure functions from what the workflow answers to lines. */
import type { EvaluationProgress } from '../../activities/contract/index.js';

type SetProgress = EvaluationProgress['sets'][number];

const MARK: Record<SetProgress['state'], string> = { waiting: '·', answering: '▸', scoring: '▸', done: '✓' };

/** Where nobody redraws, every tenth of a set is a line. */
const TENTHS = 10;

/** The whole picture, a line a benchmark. */
export function evaluationBlock(id: string, progress: EvaluationProgress | null): string[] {
  if (!progress) return [`${id}: waiting for a worker`];
  const width = Math.max(0, ...progress.sets.map(({ name }) => name.length));
  const title = progress.state === 'preparing' ? `${id}: reading and tokenising` : `${id}: ${itemsDone(progress)}`;
  return [
    title,
    ...progress.sets.map(set => `  ${MARK[set.state]} ${set.name.padEnd(width)}  ${setText(set, progress)}`),
  ];
}

/** What is new since `before` (null, or another's: everything). */
export function evaluationChanges(before: EvaluationProgress | null, now: EvaluationProgress | null): string[] {
  return now ? changedSets(before, now).map(set => `${now.evaluation}: ${set.name}: ${setText(set, now)}`) : [];
}

/** The same of a run's own evaluation, named as the run does; the run itself tells the scores. */
export function answeringChanges(name: string, before: EvaluationProgress | null, now: EvaluationProgress): string[] {
  return changedSets(before, now)
    .filter(({ state }) => state === 'answering')
    .map(set => `${name}: ${set.name} ${setText(set, now)}`);
}

function changedSets(before: EvaluationProgress | null, now: EvaluationProgress): SetProgress[] {
  const earlierSets = before?.evaluation === now.evaluation ? before.sets : [];
  return now.sets.filter(set => {
    const earlier = earlierSets.find(({ name }) => name === set.name);
    return set.state !== 'waiting' && (earlier?.state !== set.state || tenth(earlier) !== tenth(set));
  });
}

const tenth = ({ done, total }: SetProgress) => (total ? Math.floor((done * TENTHS) / total) : 0);

function itemsDone({ sets }: EvaluationProgress): string {
  const [done, total] = [
    sets.reduce((sum, set) => sum + set.done, 0),
    sets.reduce((sum, set) => sum + (set.total ?? 0), 0),
  ];
  return `${done} of ${total} items`;
}

function setText({ name, state, done, total }: SetProgress, { rows }: EvaluationProgress): string {
  const row = rows.find(({ set }) => set === name);
  if (row) return `${row.score.toFixed(1)} [${row.low.toFixed(1)}, ${row.high.toFixed(1)}]`;
  const items = total === null ? `${done}` : `${done} of ${total}`;
  return state === 'waiting' ? `${total ?? ''} items`.trim() : `${state}, ${items}`;
}
