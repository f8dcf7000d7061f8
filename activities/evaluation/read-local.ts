/**
 * A local model that reads documents chunk by chunk: all items of a part go through their chunks side by side, a call of the
 * engine for each round. After each round what is remembered is published, so whoever goes on loses one round at most.
 */
import type { EngineDependencies } from '../dependencies.js';
import type { GeneratedResponse } from '../engine/protocol/index.js';
import type { EvaluationSpec, MemorySettings } from '../spec/index.js';
import { linesText, readLines, type Store } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { fitPrompt, renderedBy, type TextModel } from '../text/index.js';
import type { EvaluationResponses } from './evaluate.js';
import type { Asked, EvaluationJob } from './job.js';
import { callsFor, counted, type MemoryPrompt, type Reading, remembered, textOfCall, UNREAD } from './memory.js';

/** What a job has where it reads so. */
export interface LocalReader {
  settings: MemorySettings;
  prompt: EvaluationSpec['prompt'];
  model: TextModel;
  /** Where what a part's items remember after so many calls lies. */
  memoryUri(part: number, call: number): string;
  /** The calls of a part that lie there, in any order. */
  callsDone(store: Store, part: number): Promise<number[]>;
}

/** A line of what a part remembers: of each sample its reading. */
interface MemoryLine {
  id: string;
  readings: Reading[];
}

export async function readingAnswers(
  deps: EngineDependencies,
  job: EvaluationJob,
  reader: LocalReader,
  { from, lines }: { from: number; lines: Asked[] },
  supervision: Supervision,
): Promise<EvaluationResponses[]> {
  const { store } = deps;
  const last = Math.max(...lines.map(({ memory }) => callsFor(memory!))) - 1;
  const done = Math.max(-1, ...(await reader.callsDone(store, from)));
  let held = done < 0 ? unread(lines, job.samples) : await remembrance(store, reader.memoryUri(from, done));
  for (let call = done + 1; call < last; call++) {
    supervision.note(`evaluating ${job.title}: chunk ${call + 1} of ${last}`);
    await job.load(supervision);
    held = await nextChunk(deps, job, reader, lines, held, call, supervision);
    supervision.check();
    await store.publishText(reader.memoryUri(from, call), linesText(held));
    if (call > 0) await store.remove(reader.memoryUri(from, call - 1));
  }
  await job.load(supervision);
  return answersFrom(deps, job, reader, lines, held, supervision);
}

const unread = (lines: readonly Asked[], samples: number): MemoryLine[] =>
  lines.map(({ id }) => ({ id, readings: Array.from({ length: samples }, () => UNREAD) }));

async function remembrance(store: Store, uri: string): Promise<MemoryLine[]> {
  return readLines<MemoryLine>(store, (await store.find(uri))!);
}

/** Of items that have no such chunk nothing changes. */
async function nextChunk(
  deps: EngineDependencies,
  job: EvaluationJob,
  reader: LocalReader,
  lines: readonly Asked[],
  held: readonly MemoryLine[],
  call: number,
  supervision: Supervision,
): Promise<MemoryLine[]> {
  const reading = lines.map(({ memory }) => call < memory!.chunks.length);
  const given = await generate(deps, job, reader, lines, held, k => (reading[k] ? call : null), supervision);
  const open = renderedBy(reader.prompt, reader.model)({ template: reader.settings.template }).thinkingOpen ?? false;
  return held.map((line, k) => ({
    ...line,
    readings: line.readings.map((before, i) => {
      const one = given[k]?.[i];
      if (!one) return before;
      const text = reader.model.responseText(one.ids);
      const memory = remembered(reader.settings, reader.model, before.memory, text, open);
      return { ...counted(before, one.promptTokens, one.ids.length), memory };
    }),
  }));
}

async function answersFrom(
  deps: EngineDependencies,
  job: EvaluationJob,
  reader: LocalReader,
  lines: readonly Asked[],
  held: readonly MemoryLine[],
  supervision: Supervision,
): Promise<EvaluationResponses[]> {
  const last = (k: number) => callsFor(lines[k]!.memory!) - 1;
  const given = await generate(deps, job, reader, lines, held, last, supervision);
  return held.map(({ id, readings }, k) => ({
    id,
    responses: readings.map((before, i) => {
      const { ids, finish, promptTokens } = given[k]![i]!;
      return { ids, finish, reading: counted(before, promptTokens, ids.length) };
    }),
  }));
}

type Given = GeneratedResponse & { promptTokens: number };

/** @param callOf which call is made for an item; null: none */
async function generate(
  { engine }: EngineDependencies,
  job: EvaluationJob,
  reader: LocalReader,
  lines: readonly Asked[],
  held: readonly MemoryLine[],
  callOf: (k: number) => number | null,
  supervision: Supervision,
): Promise<(Given[] | undefined)[]> {
  const asked = held.flatMap(({ id, readings }, k) => {
    const call = callOf(k);
    if (call === null) return [];
    return readings.map(({ memory }, i) => ({
      k,
      ids: promptOf(job, reader, lines[k]!.memory!, call, memory),
      seed: `${job.seedOf(id)}/${i}/${call}`,
    }));
  });
  const { groups } = await engine.call(
    'generate',
    {
      prompts: asked.map(({ ids, seed }) => ({ ids, seed })),
      group: 1,
      sampling: { ...job.sampling, stopIds: job.stopIds },
    },
    supervision.call,
  );
  const given: Given[][] = [];
  asked.forEach(({ k, ids }, at) => {
    given[k] ??= [];
    given[k].push({ ...groups[at]!.responses[0]!, promptTokens: ids.length });
  });
  return held.map((_, k) => given[k]);
}

/** The memory loses a token or two where, in its place, it comes to more of them than by itself. */
function promptOf(
  { sampling }: EvaluationJob,
  { settings, prompt, model }: LocalReader,
  asked: MemoryPrompt,
  call: number,
  memory: string,
): number[] {
  const limit = model.contextLength - sampling.maxNewTokens;
  const ids = (memory: string) => model.promptIds(textOfCall(settings, asked, call, memory), prompt);
  const fitted = fitPrompt(memory, limit, ids, model);
  if (fitted) return fitted.promptIds;
  throw new RangeError(`expected a prompt of at most ${limit} tokens even without a memory`);
}
