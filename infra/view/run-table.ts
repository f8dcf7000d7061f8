/** The live picture of a run: a bar for all of it, a row a stage with its curve, and the scores as they come in. */
import type { Progress, StageProgress } from '../../activities/contract/index.js';
import { bar, sparkline } from './drawings.js';
import { duration, evaluationTable, stageNotes, stateText } from './progress-text.js';
import type { SeenSteps } from './seen-steps.js';
import type { Style } from './style.js';
import { pad, widthOf } from './text-width.js';
import type { PlannedSteps, TimeLeft } from './time-left.js';

export interface RunPicture {
  progress: Progress;
  left: TimeLeft;
  seen: SeenSteps;
  planned: PlannedSteps;
}

const BAR = 12;
const CURVE = 16;
const WHOLE_BAR = 40;
const GAP = '  ';

interface Column {
  title: string;
  side: 'left' | 'right';
  /** Where the terminal is narrow those of the highest go first. */
  rank: number;
  cell(stage: StageProgress, picture: RunPicture): string;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const COLUMNS: readonly Column[] = [
  { title: 'stage', side: 'left', rank: 0, cell: ({ name, attempt }) => (attempt > 1 ? `${name} (${attempt})` : name) },
  { title: '', side: 'left', rank: 2, cell: (stage, { planned }) => stageBar(stage, planned) },
  { title: 'step', side: 'right', rank: 1, cell: ({ latest }) => (latest ? `${latest.step}/${latest.steps}` : '') },
  { title: 'reward', side: 'right', rank: 3, cell: ({ latest }) => latest?.reward?.toFixed(3) ?? '' },
  { title: 'reward, or loss', side: 'left', rank: 5, cell: (stage, { seen }) => curve(stage, seen) },
  {
    title: 'pass',
    side: 'right',
    rank: 6,
    cell: ({ latest }) => (latest?.passRate == null ? '' : percent(latest.passRate)),
  },
  { title: 'loss', side: 'right', rank: 7, cell: ({ latest }) => latest?.loss?.toFixed(4) ?? '' },
  {
    title: 'tokens/s',
    side: 'right',
    rank: 8,
    cell: ({ latest, state }) => (latest && state === 'running' ? `${Math.round(latest.tokensPerSecond)}` : ''),
  },
  {
    title: 'left',
    side: 'right',
    rank: 4,
    cell: ({ name, state }, { left }) => {
      const seconds = left.stages[name] ?? null;
      return state === 'running' && seconds !== null ? duration(seconds) : '';
    },
  },
];

const MARK: Record<StageProgress['state'], [string, keyof Style | null]> = {
  waiting: ['·', 'quiet'],
  running: ['▸', 'busy'],
  done: ['✓', 'good'],
  failed: ['✗', 'bad'],
  skipped: ['–', 'quiet'],
};

/** @param width columns of the terminal */
export function runTable(picture: RunPicture, width: number, style: Style): string[] {
  const { progress } = picture;
  const rows = progress.stages.map(stage => COLUMNS.map(column => column.cell(stage, picture)));
  const shown = fitting(rows, width);
  const widths = shown.map(k => Math.max(widthOf(COLUMNS[k]!.title), ...rows.map(row => widthOf(row[k]!))));
  const line = (cells: readonly string[]) =>
    shown
      .map((k, i) => pad(cells[k]!, widths[i]!, COLUMNS[k]!.side))
      .join(GAP)
      .trimEnd();
  // Of a run that is done they are printed, to stay.
  const scores =
    progress.table.length > 0 && progress.state !== 'done' ? ['', ...evaluationTable(progress.table, width)] : [];
  return [
    ...headLines(picture, width, style),
    ...(rows.some(row => row[2] !== '') ? [style.quiet(`    ${line(COLUMNS.map(({ title }) => title))}`)] : []),
    ...progress.stages.flatMap((stage, k) => {
      const [mark, tone] = MARK[stage.state];
      const painted = tone ? style[tone] : (text: string) => text;
      const notes = stageNotes(stage);
      return [
        `  ${painted(mark)} ${stage.state === 'waiting' ? style.quiet(line(rows[k]!)) : line(rows[k]!)}`,
        ...(notes === '' ? [] : [`      ${stage.state === 'failed' ? style.bad(notes) : notes}`]),
      ];
    }),
    ...scores,
  ];
}

function headLines({ progress, left, planned }: RunPicture, width: number, style: Style): string[] {
  const time = left.run === null ? '' : `, about ${duration(left.run)} left`;
  const share = shareDone(progress, planned);
  const drawn =
    share === null
      ? []
      : [`  ${style.busy(bar(share, Math.min(WHOLE_BAR, Math.max(BAR, width - 12))))} ${percent(share)}`];
  return [style.strong(`${progress.run}: ${stateText(progress)}${time}`), ...drawn];
}

/** Steps done of all that the run will take; null where it is not known how many those are. */
export function shareDone({ stages }: Progress, planned: PlannedSteps): number | null {
  let [done, all] = [0, 0];
  for (const { name, kind, state, latest } of stages) {
    if (kind === 'evaluation') continue;
    const steps = latest?.steps ?? planned[name];
    // What is over took as many as it took.
    if (steps === undefined && (state === 'waiting' || state === 'running')) return null;
    all += steps ?? 0;
    done += state === 'done' || state === 'skipped' ? (steps ?? 0) : (latest?.step ?? 0);
  }
  return all === 0 ? null : done / all;
}

function stageBar({ kind, state, latest, name }: StageProgress, planned: PlannedSteps): string {
  if (kind === 'evaluation') return '';
  const steps = latest?.steps ?? planned[name];
  if (state === 'done') return bar(1, BAR);
  return steps === undefined ? '' : bar((latest?.step ?? 0) / steps, BAR);
}

/** Of the warm-up, which has no rewards, the loss. */
function curve({ name, attempt, kind }: StageProgress, seen: SeenSteps): string {
  return sparkline(seen.values(name, attempt, kind === 'warmup' ? 'loss' : 'reward'), CURVE);
}

/** Places of the columns that say anything and have room, in order. */
function fitting(rows: readonly string[][], width: number): number[] {
  let places = COLUMNS.map((_, k) => k).filter(k => rows.some(row => row[k] !== ''));
  const needed = (k: number) => Math.max(widthOf(COLUMNS[k]!.title), ...rows.map(row => widthOf(row[k]!)));
  const total = () => 4 + places.reduce((sum, k) => sum + needed(k) + GAP.length, 0);
  while (places.length > 1 && total() > width) {
    const last = places.reduce((a, b) => (COLUMNS[a]!.rank > COLUMNS[b]!.rank ? a : b));
    places = places.filter(k => k !== last);
  }
  return places;
}
