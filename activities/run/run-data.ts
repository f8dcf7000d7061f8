/** Everything that a spec reads: training samples, warm-up traces and evaluation sets, as prompts in the model's tokens. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { PromptItem, TraceItem } from '../artifacts/index.js';
import { type BenchmarkName, unreadableGold } from '../benchmarks/index.js';
import {
  ContaminationCheck,
  DataError,
  type DataSource,
  type DataSummary,
  type Lengths,
  lengthsOf,
  type Overlap,
  openData,
  type Sample,
} from '../datasets/index.js';
import type { Dependencies } from '../dependencies.js';
import { metricOf } from '../evaluation/index.js';
import { InvalidSpecError, type RunSpec, type WarmupSpec } from '../spec/index.js';
import { canonicalJson } from '../store/index.js';
import {
  createPrompter,
  type FittedPrompt,
  type Prompter,
  type Reading,
  type Rendered,
  type TextModel,
} from '../text/index.js';

/** How long tokenising may keep the event loop, without whose turns there is no heartbeat. */
const TURN_MS = 100;

/** What was read from one source that the spec names, and what became of it. */
export interface SourceRecord extends DataSummary {
  /** Where the spec names it, as in `data[0]`. */
  at: string;
  /** SHA-256 of the samples as JSON lines: equal for equal samples, wherever they lie. */
  sha256: string;
  /** Samples that are used. */
  used: number;
  /** Lengths of their prompts, as used. */
  tokens: Lengths | null;
  /** Prompts that lost their middle, and the length of the longest before. */
  cut: number;
  longestCut: number;
  /** Warm-up: samples left out because they have no trace, or because their prompt exceeds `warmup.maxTokens`. */
  withoutTrace?: number;
  beyondMaxTokens?: number;
}

export interface RunData {
  train: PromptItem[];
  warmup: TraceItem[] | null;
  sets: { name: string; items: PromptItem[] }[];
  /** In the spec's order: data, warm-up, evaluation sets. */
  sources: SourceRecord[];
  overlaps: Overlap[];
}

/** The most tokens that an evaluation's prompt may have. */
export function evaluationLimit({ evaluation }: RunSpec, model: Pick<TextModel, 'contextLength'>): number {
  return evaluation.maxInputTokens ?? model.contextLength - evaluation.sampling.maxNewTokens;
}

/** @throws InvalidSpecError where a prompt cannot be cut to its limit; DataError where the data is not what it should be */
export async function readRunData(
  deps: Pick<Dependencies, 'openSource'>,
  spec: RunSpec,
  model: TextModel,
  { note, signal }: Reading,
): Promise<RunData> {
  const reader: Reader = {
    deps,
    prompter: createPrompter(spec.prompt, model),
    check: new ContaminationCheck(),
    withEvidence: spec.reward.evidence !== null,
    signal,
  };
  note('reading and tokenising the evaluation sets');
  const sets: { name: string; items: PromptItem[]; source: SourceRecord }[] = [];
  for (const [k, set] of spec.evaluation.sets.entries()) {
    const place: Place = {
      at: `evaluation.sets[${k}].source`,
      prefix: '',
      limit: set.limit ?? Number.POSITIVE_INFINITY,
      maxTokens: evaluationLimit(spec, model),
      limitedBy: 'evaluation.maxInputTokens',
      metric: metricOf(set),
    };
    const { items, source } = await promptItems(reader, set.source, place, sample => reader.check.evaluated(k, sample));
    sets.push({ name: set.name, items, source });
  }
  note('reading and tokenising the training data');
  const train: PromptItem[] = [];
  const trained: SourceRecord[] = [];
  for (const [k, source] of spec.data.entries()) {
    const place = trainingPlace(spec, 'data', spec.data, k);
    const { taskName, ...data } = source;
    const read = await promptItems(reader, data, place, sample => reader.check.trained(place.at, sample));
    for (const item of read.items) train.push({ ...item, ...(taskName !== undefined && { taskName }) });
    trained.push(read.source);
  }
  note('reading and tokenising the warm-up data');
  const warmup = spec.warmup && (await traceItems(reader, spec, spec.warmup, model));
  return {
    train,
    warmup: warmup?.items ?? null,
    sets: sets.map(({ name, items }) => ({ name, items })),
    sources: [...trained, ...(warmup?.sources ?? []), ...sets.map(({ source }) => source)],
    overlaps: reader.check.overlaps(),
  };
}

interface Reader {
  deps: Pick<Dependencies, 'openSource'>;
  prompter: Prompter;
  check: ContaminationCheck;
  /** Whether items say which documents their answer rests on. */
  withEvidence: boolean;
  signal: AbortSignal;
}

/** A source's place in the spec, and what holds there. */
interface Place {
  at: string;
  /** Before its samples' ids: they are unique within a source, and its place keeps those of several apart. */
  prefix: string;
  /** Samples at most. */
  limit: number;
  /** Tokens of a prompt at most, and the field that says so. */
  maxTokens: number;
  limitedBy: string;
  /** The official metric that its golds are read for; absent of training data. */
  metric?: BenchmarkName;
}

function trainingPlace(spec: RunSpec, list: string, sources: readonly DataSource[], k: number): Place {
  return {
    at: `${list}[${k}]`,
    prefix: sources.length > 1 ? `${k}/` : '',
    limit: Number.POSITIVE_INFINITY,
    maxTokens: spec.prompt.truncate?.maxTokens ?? Number.POSITIVE_INFINITY,
    limitedBy: 'prompt.truncate.maxTokens',
  };
}

async function promptItems(reader: Reader, source: DataSource, place: Place, met: (sample: Sample) => void) {
  const items: PromptItem[] = [];
  const record = await readSamples(reader, source, place, (sample, { promptIds, thinkingOpen }) => {
    const { id, task, answers } = sample;
    const { question } = sample.original ?? sample;
    const problem = unreadableGold({ task, question, answers, metric: place.metric });
    if (problem !== null) throw unscorable(place.at, sample, problem);
    met(sample);
    items.push({
      id: place.prefix + id,
      task,
      question,
      answers,
      // Cited by number, from 1.
      ...(reader.withEvidence && sample.evidence && { evidence: sample.evidence.map(k => k + 1) }),
      promptIds,
      ...(thinkingOpen && { thinkingOpen }),
    });
    return true;
  });
  return { items, source: record };
}

async function traceItems(reader: Reader, spec: RunSpec, { data, maxTokens }: WarmupSpec, model: TextModel) {
  const items: TraceItem[] = [];
  const sources: SourceRecord[] = [];
  for (const [k, source] of data.entries()) {
    const place = trainingPlace(spec, 'warmup.data', data, k);
    let [withoutTrace, beyondMaxTokens] = [0, 0];
    const record = await readSamples(reader, source, place, (sample, { promptIds }) => {
      if (sample.trace === null) withoutTrace++;
      else if (promptIds.length > (maxTokens ?? Number.POSITIVE_INFINITY)) beyondMaxTokens++;
      else {
        reader.check.trained(place.at, sample);
        const responseIds = model.responseIds(sample.trace, spec.prompt);
        items.push({ id: place.prefix + sample.id, promptIds, responseIds });
        return true;
      }
      return false;
    });
    sources.push({ ...record, withoutTrace, beyondMaxTokens });
  }
  return { items, sources };
}

/** Goes through a source's samples one by one. @param use takes a sample or leaves it, and says which */
async function readSamples(
  { deps, prompter, signal }: Reader,
  source: DataSource,
  { at, limit, maxTokens, limitedBy }: Place,
  use: (sample: Sample, prompt: FittedPrompt & Rendered) => boolean,
): Promise<SourceRecord> {
  const opened = openData(source, plain => deps.openSource(plain, signal), prompter);
  const hash = createHash('sha256');
  const lengths: number[] = [];
  let [read, cut, longestCut] = [0, 0, 0];
  let turned = performance.now();
  if (limit > 0) {
    for await (const sample of named(at, source, opened.samples)) {
      if (performance.now() - turned > TURN_MS) {
        await setImmediate();
        turned = performance.now();
      }
      const prompt = prompter.prompt(sample, maxTokens);
      if (prompt === null) throw tooLong(at, sample, maxTokens, limitedBy);
      hash.update(`${canonicalJson(sample)}\n`);
      if (use(sample, prompt)) {
        lengths.push(prompt.promptIds.length);
        if (prompt.cut) cut++;
        if (prompt.cut) longestCut = Math.max(longestCut, prompt.wholeTokens);
      }
      if (++read >= limit) break;
    }
  }
  return {
    at,
    ...opened.summary(),
    sha256: hash.digest('hex'),
    used: lengths.length,
    tokens: lengthsOf(lengths),
    cut,
    longestCut,
  };
}

/** What is wrong with a source's data is said with its place in the spec; of what else it reads, the message names the file. */
async function* named(at: string, source: DataSource, samples: AsyncIterable<Sample>): AsyncGenerator<Sample> {
  try {
    yield* samples;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const own = 'path' in source && error.message.includes(source.path);
    throw new DataError(`${own ? `${at}.path` : at}: ${error.message}`);
  }
}

function unscorable(at: string, { id }: Sample, problem: string): InvalidSpecError {
  return new InvalidSpecError([{ path: at, problem: `sample ${JSON.stringify(id)}: ${problem}` }]);
}

function tooLong(at: string, { id }: Sample, maxTokens: number, limitedBy: string): InvalidSpecError {
  return new InvalidSpecError([
    {
      path: limitedBy,
      problem: `expected room for every question: that of ${JSON.stringify(id)} in ${at} takes more than ${maxTokens} tokens without any document`,
    },
  ]);
}
