/** An inspection of a spec's data as text for a terminal. */
import { fieldRemarks, type Lengths } from '../../../activities/datasets/index.js';
import type { PhaseData, SourceRecord } from '../../../activities/run/index.js';
import { columns, numbersRight } from '../../view/columns.js';
import type { Inspected } from './inspected.js';

const BAR = 40;

export function reportLines(inspected: Inspected): string[] {
  const { sources, train, phases, warmup, sets, examples = [] } = inspected;
  return [
    ...section('Sources', indented([['', 'source', 'samples', 'used', 'tokens', 'sha256'], ...sources.map(sourceRow)])),
    ...sources.flatMap(remarks),
    ...section(`Training prompts: ${train.samples}, in tokens`, histogram(train.tokens)),
    ...section(
      'Phases',
      indented([
        ['', 'tokens', 'own', 'carried', 'prompts a step', 'steps an epoch', 'steps', 'epochs'],
        ...phases.map(phaseRow),
      ]),
    ),
    ...phases.flatMap(tasksOf),
    ...(train.beyondLastPhase > 0
      ? [`  ${train.beyondLastPhase} samples are longer than the last phase's limit: no phase trains on them.`]
      : []),
    ...(warmup
      ? section(
          `Warm-up: ${warmup.samples} traces, ${warmup.steps} steps; ${warmup.leftOut} samples left out; prompts with traces, in tokens`,
          histogram(warmup.tokens),
        )
      : []),
    ...(sets.length > 0
      ? section(
          'Evaluation sets',
          indented([
            ['', 'samples', 'tokens', 'at most', 'cut'],
            ...sets.map(({ name, samples, tokens, maxInputTokens, cut }) =>
              [name, samples, range(tokens), maxInputTokens, cut].map(String),
            ),
          ]),
        )
      : []),
    ...contamination(inspected),
    ...examples.flatMap(({ phase, id, tokens, prompt }) =>
      section(`Example of ${phase}: ${id}, ${tokens} tokens`, [prompt]),
    ),
  ];
}

function sourceRow({ at, source, samples, used, tokens, sha256 }: SourceRecord): string[] {
  return [at, source, String(samples), String(used), range(tokens), sha256.slice(0, 12)];
}

/** What a source's numbers alone do not say. */
function remarks(source: SourceRecord): string[] {
  const {
    at,
    leftOut,
    skipped,
    skippedCount,
    cut,
    longestCut,
    lengthening,
    withoutTrace = 0,
    beyondMaxTokens = 0,
  } = source;
  const said: [number, string][] = [
    [leftOut, `${leftOut} records left out, as its kind does`],
    [skippedCount, `${skippedCount} malformed records skipped`],
    [withoutTrace, `${withoutTrace} samples have no trace`],
    [beyondMaxTokens, `${beyondMaxTokens} prompts exceed warmup.maxTokens`],
    [cut, `${cut} prompts lose their middle, the longest of ${longestCut} tokens`],
  ];
  if (lengthening) {
    const { addedDocuments, tooLong, repeated, ranOut } = lengthening;
    said.push(
      [addedDocuments, `${addedDocuments} distractor documents added`],
      [tooLong, `${tooLong} samples left out: longer than upTo without any`],
      [repeated, `${repeated} samples left out: the same as at a smaller upTo`],
      [ranOut, `${ranOut} samples are shorter than upTo for want of documents`],
    );
  }
  return [
    ...fieldRemarks(source).map(text => `  ${at}: ${text}`),
    ...said.flatMap(([count, text]) => (count > 0 ? [`  ${at}: ${text}`] : [])),
    ...skipped.map(({ where, problem }) => `    ${where}: ${problem}`),
  ];
}

function phaseRow({
  name,
  band,
  own,
  carried,
  candidates,
  promptsPerStep,
  stepsPerEpoch,
  steps,
  epochs,
}: PhaseData): string[] {
  return [
    name,
    `${band.above + 1} to ${band.upTo}`,
    String(own),
    candidates === 0 ? '0' : `${carried} of ${candidates} at most`,
    String(promptsPerStep),
    stepsPerEpoch.toFixed(1),
    String(steps),
    epochs.toFixed(2),
  ];
}

function tasksOf({ name, tasks }: PhaseData): string[] {
  if (!tasks) return [];
  const counts = Object.entries(tasks).map(([task, count]) => `${count} of ${task}`);
  return [`  ${name}, own prompts by task: ${counts.join(', ')}`];
}

function contamination({ overlaps, sets }: Inspected): string[] {
  if (sets.length === 0) return [];
  if (overlaps.length === 0)
    return section('Contamination', ['  none: nothing that is trained on is in an evaluation set']);
  const rows = overlaps.map(({ set, source, kind, samples, allowed }) => [
    sets[set]!.name,
    source,
    `${kind} of ${samples} of ${sets[set]!.samples} samples`,
    allowed ? 'allowed' : 'NOT allowed',
  ]);
  return section('Contamination', indented(rows));
}

const range = (tokens: Lengths | null): string =>
  tokens === null ? '-' : `${tokens.least} to ${tokens.most}, median ${tokens.median}`;

function histogram(tokens: Lengths | null): string[] {
  if (tokens === null) return ['  none'];
  const most = Math.max(...tokens.bins.map(({ count }) => count));
  return indented(
    tokens.bins.map(({ above, upTo, count }) => [
      `${above + 1} to ${upTo}`,
      String(count),
      '#'.repeat(Math.ceil((count / most) * BAR)),
    ]),
  );
}

const section = (title: string, lines: string[]): string[] => ['', title, ...lines];

const indented = (rows: string[][]): string[] => columns(rows, numbersRight(rows)).map(line => `  ${line}`);
