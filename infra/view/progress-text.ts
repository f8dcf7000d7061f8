/** A run's progress as text: pure functions from what the workflow answers to lines. */
import type {
  EvaluationRow,
  JudgeUsage,
  Progress,
  StageProgress,
  StepReport,
} from '../../activities/contract/index.js';
import { columns } from './columns.js';
import { widthOf } from './text-width.js';
import type { TimeLeft } from './time-left.js';

/** What is new since `before` (null: everything), a line a change: for logs and pipes. */
export function progressChanges(before: Progress | null, now: Progress, left: TimeLeft): string[] {
  const lines: string[] = [];
  if (before?.state !== now.state) lines.push(`${now.run}: ${stateText(now)}`);
  for (const stage of now.stages) {
    const earlier = before?.stages.find(one => one.name === stage.name);
    const moved = earlier?.state !== stage.state || earlier.attempt !== stage.attempt;
    const stepped = stage.latest !== null && earlier?.latest?.step !== stage.latest.step;
    if ((moved && stage.state !== 'waiting') || stepped) {
      lines.push(`${stage.name}: ${stageText(stage, left.stages[stage.name] ?? null)}`);
    }
  }
  const told = before?.table ?? [];
  lines.push(
    ...now.table.filter(row => !hasRow(told, row)).map(row => `evaluation/${row.policy}: ${row.set} ${score(row)}`),
  );
  return lines;
}

/** Whether the table has this policy's row of this set. */
export const hasRow = (table: readonly EvaluationRow[], row: EvaluationRow): boolean =>
  table.some(({ policy, set }) => policy === row.policy && set === row.set);

export function stateText({ state, stages }: Progress): string {
  if (state !== 'running') return state === 'awaiting-replay' ? 'waiting for a replay' : state;
  const stage = stages.find(one => one.state === 'running');
  return stage ? `running ${stage.name}` : 'running';
}

function stageText(stage: StageProgress, secondsLeft: number | null): string {
  const { latest, state, attempt, error, takenFrom } = stage;
  return [
    state,
    attempt > 1 ? `attempt ${attempt}` : null,
    takenFrom !== undefined ? takenText(takenFrom) : null,
    latest && `step ${latest.step}/${latest.steps}`,
    latest && latest.reward !== null ? `reward ${latest.reward.toFixed(3)}` : null,
    latest && latest.passRate !== null ? `pass rate ${(100 * latest.passRate).toFixed(0)} %` : null,
    latest && latest.loss !== null ? `loss ${latest.loss.toFixed(4)}` : null,
    latest?.judge ? judgeText(latest.judge) : null,
    latest && unscoredText(latest),
    latest && state === 'running' ? `${Math.round(latest.tokensPerSecond)} tokens/s` : null,
    state === 'running' && secondsLeft !== null ? `${duration(secondsLeft)} left` : null,
    state === 'failed' ? error : null,
  ]
    .filter(part => part !== null)
    .join(', ');
}

/** What stands below a stage's row: trouble, and what a judge was asked. */
export function stageNotes({ latest, state, error, takenFrom }: StageProgress): string {
  const parts = [
    takenFrom !== undefined ? takenText(takenFrom) : null,
    latest?.judge ? judgeText(latest.judge) : null,
    latest && unscoredText(latest),
    state === 'failed' ? error : null,
  ];
  return parts.filter(part => part).join(', ');
}

const takenText = (run: string): string => `taken from ${run}`;

function unscoredText({ unscoredGroups = 0 }: StepReport): string | null {
  if (unscoredGroups === 0) return null;
  return unscoredGroups === 1 ? '1 group unscored' : `${unscoredGroups} groups unscored`;
}

function judgeText({ asked, cached, promptTokens, completionTokens }: JudgeUsage): string | null {
  const tokens = promptTokens + completionTokens;
  const parts = [
    asked > 0 ? `${asked} asked` : null,
    cached > 0 ? `${cached} cached` : null,
    tokens > 0 ? `${tokens.toLocaleString('en-US')} tokens` : null,
  ].filter(part => part !== null);
  return parts.length > 0 ? `judge ${parts.join(', ')}` : null;
}

/**
 * Policies down, evaluation sets across, scores in percent with their 95 % intervals: without these, and with the sets'
 * names alone, where it would be wider than `width`.
 */
export function evaluationTable(rows: EvaluationRow[], width = Number.POSITIVE_INFINITY): string[] {
  if (rows.length === 0) return ['No evaluation set is named in the spec.'];
  const policies = [...new Set(rows.map(row => row.policy))];
  const sets = [...new Set(rows.map(row => row.set))];
  const of = (policy: string, set: string) => rows.find(row => row.policy === policy && row.set === set);
  const header = sets.map(set => {
    const row = rows.find(one => one.set === set)!;
    return `${set} (${Math.round(row.meanPromptTokens)} tokens, n=${row.items})`;
  });
  const body = policies.map(policy => [policy, ...sets.map(set => score(of(policy, set)))]);
  const table = columns([['score % [95 % interval]', ...header], ...body]);
  if (table.every(line => widthOf(line) <= width)) return table;
  const bare = policies.map(policy => [policy, ...sets.map(set => of(policy, set)?.score.toFixed(1) ?? '')]);
  return columns([['score %', ...sets], ...bare]);
}

function score(row: EvaluationRow | undefined): string {
  return row ? `${row.score.toFixed(1)} [${row.low.toFixed(1)}, ${row.high.toFixed(1)}]` : '';
}

/** 42 s, 3 min 5 s, 2 h 10 min. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${min} min`;
  return min > 0 ? `${min} min ${s} s` : `${s} s`;
}
