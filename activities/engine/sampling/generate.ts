/**
 * Rollouts: each prompt is computed once, its G responses decode together, and responses that have ended leave the batch. A response depends on weights, prompt and seed only: prompts are prefilled alone, uniform numbers come from
 * the response's own stream, and no row's arithmetic depends on the rows beside it.
 */
import { truncationFeeds } from '../autodiff/index.js';
import type { Tensors } from '../files/index.js';
import {
  bools,
  type CompiledGraph,
  type Feeds,
  floatData,
  floatScalar,
  floats,
  GraphCache,
  integers,
  PROVIDERS,
  type SessionSettings,
  weightFeeds,
} from '../graph/index.js';
import { activationBytes, type DecoderConfig, type RotaryTable } from '../model/index.js';
import {
  EngineRequestError,
  type GeneratedResponse,
  type GeneratePrompt,
  type GenerateRequest,
  type SamplingSettings,
} from '../protocol/index.js';
import { randomStream } from '../random.js';
import { PastCache, PromptCache } from './caches.js';
import { decodingGraph } from './decoding.js';
import { Prefill } from './prefill.js';
import { type SamplingMode, samplingMode } from './sampling.js';

/** Bounds of one batch: responses decoded together, and bytes of prompt keys and values held for them. */
const MAX_ROWS = 256;
const MAX_CACHE_BYTES = 2 ** 30;

/** Of the memory for activations: a prompt whose layer takes more is a large one. */
const LARGE_SHARE = 1 / 8;

/** Training samples, evaluation is greedy or samples otherwise; each with a past and without. */
const DECODING_GRAPHS = 4;

interface Response extends GeneratedResponse {
  stream: { uniform(): number };
}

/** One prompt being answered. */
interface Group {
  /** Index in the request. */
  index: number;
  prompt: GeneratePrompt;
  responses: Response[];
}

/** A group's row of the batch in hand: which of its responses stand in it. */
interface Row {
  group: Group;
  /** Equally many in every row: where a group has fewer left, others of it fill up, and are not listened to. */
  places: number[];
}

/** Called after each prompt computed and each run with the new tokens so far; throws to end the work there. */
export type OnTokens = (newTokens: number) => Promise<void>;

export class Generator {
  private readonly prefill: Prefill;
  private readonly graphs: GraphCache;

  constructor(
    private readonly config: DecoderConfig,
    private readonly rotary: RotaryTable,
    private readonly settings: SessionSettings,
  ) {
    this.graphs = new GraphCache(DECODING_GRAPHS, settings);
    this.prefill = new Prefill(config, rotary, settings);
  }

  /** @returns the responses of each prompt, in the request's order */
  async run(
    weights: Tensors,
    { prompts, group, sampling }: GenerateRequest,
    onTokens: OnTokens,
  ): Promise<GeneratedResponse[][]> {
    const results: GeneratedResponse[][] = [];
    let tokens = 0;
    const count = (added: number): Promise<void> => {
      tokens += added;
      return onTokens(tokens);
    };
    const weightBytes = [...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    for (const batch of this.batches(prompts, group, weightBytes)) {
      const groups = batch.map(index => openGroup(index, prompts[index]!, group));
      await this.decode(weights, groups, sampling, count);
      for (const { index, responses } of groups)
        results[index] = responses.map(({ ids, logprobs, finish }) => ({ ids, logprobs, finish }));
    }
    return results;
  }

  async release(): Promise<void> {
    await this.prefill.release();
    await this.graphs.release();
  }

  /**
   * Prompts of like length go together: a batch's caches are as long as its longest prompt. A batch ends where filling up
   * the shorter prompts would cost more than reading the weights once more: both are read once a token.
   */
  private batches(prompts: readonly GeneratePrompt[], group: number, weightBytes: number): number[][] {
    const { layers, kvHeads, headDim } = this.config;
    const bytesPerToken = layers * kvHeads * (2 * headDim + 1) * 4;
    const tokens = (index: number): number => prompts[index]!.ids.length;
    const order = prompts.map((_, i) => i).sort((a, b) => tokens(a) - tokens(b) || a - b);
    const batches: number[][] = [];
    for (const index of order) {
      const current = batches.at(-1) ?? [];
      const size = current.length + 1;
      const held = size * tokens(index) * bytesPerToken;
      const filler = current.reduce((sum, other) => sum + tokens(index) - tokens(other), 0) * bytesPerToken;
      const fits = size * group <= MAX_ROWS && held <= MAX_CACHE_BYTES && filler <= weightBytes;
      if (current.length > 0 && fits) current.push(index);
      else batches.push([index]);
    }
    return batches;
  }

  private async decode(
    weights: Tensors,
    groups: readonly Group[],
    sampling: SamplingSettings,
    count: (added: number) => Promise<void>,
  ): Promise<void> {
    const fixed = { ...weightFeeds(weights), ...samplingFeeds(sampling, this.config.vocabularySize) };
    const all = groups.map(group => ({ group, places: [...group.responses.keys()] }));
    let rows = this.filled(all);
    let prompt = await this.prefillAll(weights, groups, count);
    let past = PastCache.empty(this.config, rows.length, rows[0]!.places.length);
    // Responses that have ended leave the batch between runs.
    const chunk = PROVIDERS[this.settings.provider ?? 'cpu'].decodeChunk;
    for (let start = 0; start < sampling.maxNewTokens && rows.length > 0; start += chunk) {
      const turns = Math.min(chunk, sampling.maxNewTokens - start);
      const graph = await this.graph(samplingMode(sampling), !past.isEmpty);
      const outputs = await graph.run({
        ...fixed,
        ...prompt.feeds(rows[0]!.places.length),
        ...past.feeds(),
        ...this.turnFeeds(rows, start, turns),
      });
      await count(collect(rows, outputs, sampling.stopIds));
      const added = Array.from({ length: this.config.layers }, (_, layer) => ({
        keys: floatData(outputs, `chunk_keys ${layer}`),
        values: floatData(outputs, `chunk_values ${layer}`),
      }));
      past = past.append(added, (outputs.tokens!.dims as number[])[0]!);
      const left = this.filled(stillRunning(rows));
      if (sameRows(left, rows)) continue;
      const from = left.map(({ group }) => rows.findIndex(row => row.group === group));
      if (left.length < rows.length) prompt = prompt.keep(from);
      past = past.keep(left.map(({ places }, i) => ({ row: from[i]!, places: placesIn(rows[from[i]!]!, places) })));
      rows = left;
    }
  }

  /** Rows of one width. A product with a single row sums in another order than one with several, so none is left with one. */
  private filled(rows: readonly Row[]): Row[] {
    const alone = this.config.heads === this.config.kvHeads || rows.length === 1;
    const width = rows.reduce((longest, { places }) => Math.max(longest, places.length), alone ? 2 : 1);
    return rows.map(({ group, places }) => ({
      group,
      places: Array.from({ length: width }, (_, i) => places[Math.min(i, places.length - 1)]!),
    }));
  }

  private async prefillAll(
    weights: Tensors,
    groups: readonly Group[],
    count: (added: number) => Promise<void>,
  ): Promise<PromptCache> {
    const cache = PromptCache.forPrompts(
      this.config,
      groups.map(g => g.prompt.ids.length - 1),
    );
    let longest = 0;
    for (const [b, { prompt }] of groups.entries()) {
      if (prompt.ids.length === 1) continue;
      cache.fill(b, await this.prefill.run(weights, prompt.ids.slice(0, -1)));
      longest = Math.max(longest, prompt.ids.length);
      await count(0);
    }
    // A session holds on to the most memory it ever needed. Where that is much, making another costs less.
    const { memory = Number.POSITIVE_INFINITY } = this.settings;
    if (activationBytes(this.config, longest, 1) > memory * LARGE_SHARE) await this.prefill.release();
    return cache;
  }

  /** What changes from run to run. */
  private turnFeeds(rows: readonly Row[], start: number, turns: number): Feeds {
    const { heads, kvHeads, headDim } = this.config;
    const batch = rows.length;
    const group = rows[0]!.places.length;
    const lines = linesOf(rows);
    const positions = lines.map(({ prompt }) => prompt.ids.length - 1 + start);
    const uniforms = new Float32Array(turns * lines.length);
    lines.forEach(({ response, filler }, line) => {
      if (filler) return;
      for (let turn = 0; turn < turns; turn++) uniforms[turn * lines.length + line] = response.stream.uniform();
    });
    const entry = (width: number, value = 0) =>
      floats(new Float32Array(batch * kvHeads * group * width).fill(value), [batch, kvHeads, group, 1, width]);
    return {
      ...this.rotary.feeds(positions.reduce((a, b) => Math.max(a, b), 0) + turns),
      ids: integers(
        lines.map(({ prompt, response }) => response.ids.at(-1) ?? prompt.ids.at(-1)!),
        [lines.length],
      ),
      positions: integers(positions, [lines.length, 1]),
      uniforms: floats(uniforms, [turns, lines.length]),
      done: bools(lines.map(({ response, filler }) => response.finish === 'stop' || filler)),
      turns: integers([turns], []),
      batch: integers([batch], [1]),
      group: integers([group], [1]),
      group_rows: integers([(group * heads) / kvHeads], [1]),
      batch_rows: integers([lines.length], [1]),
      padding_values: entry(headDim + 1),
      ones: entry(1, 1),
    };
  }

  private graph(mode: SamplingMode, withPast: boolean): Promise<CompiledGraph> {
    return this.graphs.get(`${mode}/${withPast}`, () => decodingGraph(this.config, mode, withPast));
  }
}

function openGroup(index: number, prompt: GeneratePrompt, group: number): Group {
  const responses = Array.from(
    { length: group },
    (_, i): Response => ({ ids: [], logprobs: [], finish: 'length', stream: randomStream(prompt.seed, i) }),
  );
  return { index, prompt, responses };
}

/** The batch's lines, row by row; a filler stands for a response that a slot before it holds. */
function linesOf(rows: readonly Row[]): { prompt: GeneratePrompt; response: Response; filler: boolean }[] {
  return rows.flatMap(({ group: { prompt, responses }, places }) =>
    places.map((place, slot) => ({ prompt, response: responses[place]!, filler: places.indexOf(place) < slot })),
  );
}

/** The rows with a response that has not ended, and which those are. */
function stillRunning(rows: readonly Row[]): Row[] {
  return rows.flatMap(({ group, places }) => {
    const running = [...new Set(places)].filter(place => group.responses[place]!.finish === 'length');
    return running.length > 0 ? [{ group, places: running }] : [];
  });
}

const sameRows = (a: readonly Row[], b: readonly Row[]): boolean =>
  a.length === b.length && a.every(({ places }, i) => places.join() === b[i]!.places.join());

/** The slots of a row in which these responses stand. */
const placesIn = (row: Row, places: readonly number[]): number[] => places.map(place => row.places.indexOf(place));

/** Appends one run's tokens [turns, rows] to the responses that had not ended; gives back how many there were. */
function collect(rows: readonly Row[], outputs: Feeds, stopIds: readonly number[]): number {
  const tokens = outputs.tokens!.data as BigInt64Array;
  const logprobs = floatData(outputs, 'logprobs');
  const lines = linesOf(rows);
  const stops = new Set(stopIds);
  let added = 0;
  lines.forEach(({ response, filler }, line) => {
    if (filler) return;
    for (let at = line; at < tokens.length && response.finish === 'length'; at += lines.length) {
      const id = Number(tokens[at]);
      response.ids.push(id);
      response.logprobs.push(finite(logprobs[at]!));
      if (stops.has(id)) response.finish = 'stop';
      added += 1;
    }
  });
  return added;
}

/** Weights that are no numbers, or too large ones, still choose tokens: always the first. */
function finite(logprob: number): number {
  if (Number.isFinite(logprob)) return logprob;
  throw new EngineRequestError(
    `the log-probability of a sampled token is ${logprob}: the model's weights have become too large, or are no numbers; go back to an earlier policy, with a lower learning rate`,
    'not-finite',
  );
}

/** Greedy responses report log-probabilities at temperature 1. */
function samplingFeeds({ temperature, stopIds, ...truncation }: SamplingSettings, vocabulary: number): Feeds {
  // No id is -1: a list without stop ids still needs an entry.
  const stops = stopIds.length > 0 ? stopIds : [-1];
  return {
    inverse_temperature: floatScalar(temperature === 0 ? 1 : 1 / temperature),
    ...truncationFeeds(truncation, vocabulary),
    stop_ids: integers(stops, [1, stops.length]),
  };
}
