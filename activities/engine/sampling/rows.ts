/** Who stands where in a batch: a row for each prompt, in it a slot for each response that has not ended. */
import { type Feeds, floatData } from '../graph/index.js';
import { EngineRequestError, type GeneratedResponse, type GeneratePrompt } from '../protocol/index.js';
import { randomStream } from '../random.js';

interface Response extends GeneratedResponse {
  stream: { uniform(): number };
}

/** One prompt being answered. */
export interface Group {
  /** Index in the request. */
  index: number;
  prompt: GeneratePrompt;
  responses: Response[];
}

/** A group's row of the batch in hand: which of its responses stand in it. */
export interface Row {
  group: Group;
  /** Equally many in every row: where a group has fewer left, others of it fill up, and are not listened to. */
  places: number[];
}

export function openGroup(index: number, prompt: GeneratePrompt, group: number): Group {
  const responses = Array.from(
    { length: group },
    (_, i): Response => ({ ids: [], logprobs: [], finish: 'length', stream: randomStream(prompt.seed, i) }),
  );
  return { index, prompt, responses };
}

/** The batch's lines, row by row; a filler stands for a response that a slot before it holds. */
export function linesOf(rows: readonly Row[]): { prompt: GeneratePrompt; response: Response; filler: boolean }[] {
  return rows.flatMap(({ group: { prompt, responses }, places }) =>
    places.map((place, slot) => ({ prompt, response: responses[place]!, filler: places.indexOf(place) < slot })),
  );
}

/** The rows with a response that has not ended, and which those are. */
export function stillRunning(rows: readonly Row[]): Row[] {
  return rows.flatMap(({ group, places }) => {
    const running = [...new Set(places)].filter(place => group.responses[place]!.finish === 'length');
    return running.length > 0 ? [{ group, places: running }] : [];
  });
}

export const sameRows = (a: readonly Row[], b: readonly Row[]): boolean =>
  a.length === b.length && a.every(({ places }, i) => places.join() === b[i]!.places.join());

/** The slots of a row in which these responses stand. */
export const placesIn = (row: Row, places: readonly number[]): number[] =>
  places.map(place => row.places.indexOf(place));

/** Appends one run's tokens [turns, rows] to the responses that had not ended; gives back how many there were. */
export function collect(rows: readonly Row[], outputs: Feeds, stopIds: readonly number[]): number {
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
