/** What `longhaul init` has to know of a model and of data before it can propose a spec for them. */
import {
  DataError,
  detectKind,
  type FileKind,
  openSource,
  type Source,
  type SourceSummary,
} from '../../activities/datasets/index.js';
import { readConfig, resolveModel } from '../../activities/engine/folders/index.js';
import { type Architecture, expectedTensors } from '../../activities/engine/model/index.js';
import { loadTokenizer } from '../../activities/engine/text/index.js';
import { modelIssues, type RunData, readRunData } from '../../activities/run/index.js';
import { InvalidSpecError, type RunSpec, validateSpec } from '../../activities/spec/index.js';
import { openTextModel, type Reading, type TextModel } from '../../activities/text/index.js';

export interface FoundModel {
  /** As a spec names it. */
  name: string;
  architecture: Architecture;
  /** Weights in all. */
  parameters: number;
  /** In tokens. */
  contextLength: number;
  hasChatTemplate: boolean;
  text: TextModel;
}

export interface FoundSource {
  path: string;
  kind: FileKind;
  /** Of the whole source. */
  samples: number;
  /** Its malformed records, which the spec skips. */
  malformed: number;
  firstMalformed: { where: string; problem: string } | null;
  /** Counts of paragraphs that each question is asked over, where it is not all; only some kinds can. */
  paragraphs: number[] | null;
  /** Its first records, kept out of training for evaluation; null where there are too few to spare any. */
  heldOut: { to: number; samples: number } | null;
}

export interface Found {
  model: FoundModel;
  sources: FoundSource[];
  /** Read as the spec will have it: what is held out apart, warm-up from the same samples as RL. */
  data: RunData;
}

/**
 * @param sources paths of data files, or their names on the Hub
 * @throws EngineRequestError for a model, DataError for data that cannot be used; InvalidSpecError where they do not fit together
 */
export async function lookAt(name: string, sources: string[], cacheDir: string, reading: Reading): Promise<Found> {
  const model = await lookAtModel(name, cacheDir, reading);
  const found: FoundSource[] = [];
  for (const path of sources) {
    reading.note(`looking at ${path}`);
    found.push(await lookAtSource(path, cacheDir));
  }
  const whole = await readAll(model, found, cacheDir, reading);
  const room = model.contextLength - roomForResponse(model.contextLength);
  if (whole.data.train.some(({ promptIds }) => promptIds.length <= room) || !found.some(isDialled)) return whole;
  const fewer = found.map(source => (isDialled(source) ? { ...source, paragraphs: FEW_PARAGRAPHS } : source));
  return readAll(model, fewer, cacheDir, reading);
}

/** Kinds whose questions can be asked over fewer paragraphs than the data has, and of how many where all are too long. */
const DIALLED: FileKind[] = ['hotpotqa', '2wikimultihopqa', 'musique'];
const FEW_PARAGRAPHS = [2, 4];
const isDialled = ({ kind }: FoundSource): boolean => DIALLED.includes(kind);

async function readAll(model: FoundModel, sources: FoundSource[], cacheDir: string, reading: Reading): Promise<Found> {
  const spec = preliminarySpec(model, sources);
  const unfit = modelIssues(spec, model.text);
  if (unfit.length > 0) throw new InvalidSpecError(unfit);
  const deps = { openSource: (source: Source) => openSource(source, { cacheDir }) };
  return { model, sources, data: await readRunData(deps, spec, model.text, reading) };
}

/** Without its weights: they may be many gigabytes, and only the run needs them. */
async function lookAtModel(name: string, cacheDir: string, { note, signal }: Reading): Promise<FoundModel> {
  note(`looking at ${name}`);
  const { directory } = await resolveModel(name, { cacheDir, signal, weights: false });
  const { config } = await readConfig(directory);
  const { hasChatTemplate } = await loadTokenizer(directory);
  return {
    name,
    architecture: config.architecture,
    parameters: [...expectedTensors(config).values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0),
    contextLength: config.contextLength,
    hasChatTemplate,
    text: await openTextModel(directory),
  };
}

/** Fewer samples than this are all trained on. */
const LEAST_TO_SPARE = 10;
/** Evaluated: a tenth, so many at most. At 200 questions a score is known within 7 points. */
const MOST_HELD_OUT = 200;

async function lookAtSource(path: string, cacheDir: string): Promise<FoundSource> {
  const kind = await detectKind(path, { cacheDir });
  const summaryTo = async (to?: number): Promise<SourceSummary> => {
    const source = { type: kind, path, from: 0, onMalformed: 'skip', ...(to !== undefined && { to }) };
    const opened = openSource(source as Source, { cacheDir });
    for await (const _ of opened.samples);
    return opened.summary();
  };
  const { samples, skippedCount: malformed, skipped } = await summaryTo();
  if (samples === 0) throw new DataError(`${path}: expected questions; read as ${kind} there is none`);
  const count = async (to: number): Promise<number> => (await summaryTo(to)).samples;
  const heldOut = samples < LEAST_TO_SPARE ? null : await heldOutOf(samples, count);
  return { path, kind, samples, malformed, firstMalformed: skipped[0] ?? null, paragraphs: null, heldOut };
}

/** How many records to hold out: a record may make several samples, or none. */
async function heldOutOf(samples: number, count: (to: number) => Promise<number>): Promise<FoundSource['heldOut']> {
  const wanted = Math.min(MOST_HELD_OUT, Math.floor(samples / 10));
  let to = wanted;
  for (let tries = 0; tries < 8; tries++) {
    const held = await count(to);
    const most = Math.min(2 * wanted, Math.floor(samples / 2));
    if (held > 0 && held <= most) return { to, samples: held };
    const next = held === 0 ? 2 * to : Math.max(1, Math.floor((to * wanted) / held));
    if (next === to) return null;
    to = next;
  }
  return null;
}

/** Tokens of a response, where no trace says: the spec's default, a quarter of a small context. */
export const roomForResponse = (contextLength: number): number => Math.min(512, Math.floor(contextLength / 4));

function preliminarySpec(model: FoundModel, sources: FoundSource[]): RunSpec {
  const { contextLength, hasChatTemplate } = model;
  const maxNewTokens = roomForResponse(contextLength);
  const data = sources.map(trainedOn);
  return validateSpec({
    model: model.name,
    prompt: { chat: hasChatTemplate },
    data,
    warmup: { data },
    rl: { sampling: { maxNewTokens } },
    phases: [{ maxTokens: contextLength - maxNewTokens, steps: 1 }],
    evaluation: { sets: evaluatedOn(sources) },
  });
}

export const trainedOn = (source: FoundSource) => ({
  type: source.kind,
  path: source.path,
  ...(source.heldOut && { from: source.heldOut.to }),
  ...readingOptions(source),
});

const readingOptions = ({ paragraphs, malformed }: FoundSource) => ({
  ...(paragraphs && { paragraphs }),
  ...(malformed > 0 && { onMalformed: 'skip' }),
});

export const evaluatedOn = (sources: FoundSource[]) =>
  sources.flatMap((source, k) => {
    const { kind, path, heldOut } = source;
    if (!heldOut) return [];
    const name = sources.length > 1 ? `held-out-${k + 1}` : 'held-out';
    return [{ name, source: { type: kind, path, to: heldOut.to, ...readingOptions(source) } }];
  });
