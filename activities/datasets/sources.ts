/** The kinds of data source a spec may name: one schema and one reader each, in one table. */
import { z } from 'zod';
import { docmath } from './docmath.js';
import { docqaRl } from './docqa-rl.js';
import { readFiles, skip } from './file-source.js';
import { type FileOptions, type Format, fileOptions } from './format.js';
import { frames } from './frames.js';
import { hotpotqa } from './hotpotqa.js';
import type { HubDataOptions } from './hub-data.js';
import { jsonl } from './jsonl.js';
import { longbench, longbenchOptions } from './longbench.js';
import { mrcr, mrcrOptions } from './mrcr.js';
import { multihopOptions } from './multihop.js';
import { musique } from './musique.js';
import { narrativeqa, narrativeqaOptions } from './narrativeqa.js';
import { qasper } from './qasper.js';
import { RecordError } from './records.js';
import { rulerFiles, rulerFilesOptions } from './ruler-files.js';
import type { Sample } from './sample.js';
import type { SourceSummary } from './summary.js';
import { texts, textsOptions } from './texts/index.js';
import { twoWikiMultihopQa } from './twowikimultihopqa.js';
import { readWorld, worldOptions } from './world.js';

export { DataError } from './records.js';
export type { Sample, Task } from './sample.js';
export type { SourceSummary } from './summary.js';

const files = <T extends string, O extends z.ZodRawShape>(type: T, what: string, options: O) =>
  z.strictObject({ type: z.literal(type).describe(what), ...fileOptions, ...options });

export const sourceSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('world').describe('Generated questions over generated facts, as the preset tiny has them.'),
      ...worldOptions,
    }),
    files(
      'jsonl',
      'Your own questions: {question, documents | context, answers | answer, id?, trace?, task?, evidence?}.',
      {},
    ),
    files('docqa-rl', 'DocQA-RL-1.6K (arXiv 2505.17667), as published.', {}),
    files('hotpotqa', 'HotpotQA (Yang et al. 2018), distractor setting.', multihopOptions),
    files('2wikimultihopqa', '2WikiMultihopQA (Ho et al. 2020).', multihopOptions),
    files('musique', 'MuSiQue (Trivedi et al. 2022).', multihopOptions),
    files('narrativeqa', 'NarrativeQA (Kočiský et al. 2018).', narrativeqaOptions),
    files('qasper', 'Qasper (Dasigi et al. 2021).', {}),
    files('docmath', 'DocMath-Eval (Zhao et al. 2024).', {}),
    files('frames', 'FRAMES (Krishna et al. 2024).', {}),
    files('ruler-files', 'RULER’s tasks as its scripts write them.', rulerFilesOptions),
    files('mrcr', 'MRCR, as OpenAI has published it.', mrcrOptions),
    files(
      'texts',
      'Questions made of your own texts, without labels: {text, title?}, or .txt and .md files by `*`.',
      textsOptions,
    ),
    files('longbench', 'LongBench, both versions (Bai et al. 2023 and 2024).', longbenchOptions),
  ])
  .meta({ id: 'plainSource' });

export type Source = z.output<typeof sourceSchema>;
type FileSource = Exclude<Source, { type: 'world' }>;

const FORMATS: { [K in FileSource['type']]: Format<Extract<FileSource, { type: K }>> } = {
  jsonl,
  'docqa-rl': docqaRl,
  hotpotqa,
  '2wikimultihopqa': twoWikiMultihopQa,
  musique,
  narrativeqa,
  qasper,
  docmath,
  frames,
  longbench,
  'ruler-files': rulerFiles,
  mrcr,
  texts,
};

/** Names of the fields that a record of the kind has. */
export const fieldsOf = (type: FileSource['type']): readonly string[] => FORMATS[type].fields;

/** What reading needs beside the source itself: where data sets from the Hugging Face Hub are kept. */
export type SourceContext = HubDataOptions;

export interface OpenedSource {
  /** To be gone through once. */
  samples: AsyncIterable<Sample>;
  /** Valid once `samples` has ended, or was left. */
  summary(): SourceSummary;
}

/**
 * The source's samples, in an order that is always the same, and what was read for them. Local paths are taken as they
 * stand. Going through them throws DataError, naming file, place and field, where the data is not what its kind promises or
 * names two samples the same.
 */
export function openSource(source: Source, context: SourceContext): OpenedSource {
  const summary = emptySummary(source.type);
  return { samples: samples(source, context, summary), summary: () => summary };
}

/** Of a source of which nothing is read yet. */
export const emptySummary = (source: string): SourceSummary => ({
  ...{ source, samples: 0, leftOut: 0, skippedCount: 0 },
  skipped: [],
  files: [],
});

/** `openSource` where only the samples are wanted. */
export const readSource = (source: Source, context: SourceContext): AsyncIterable<Sample> =>
  openSource(source, context).samples;

async function* samples(source: Source, context: SourceContext, summary: SourceSummary): AsyncGenerator<Sample> {
  const ids = new Set<string>();
  for await (const { sample, where } of read(source, context, summary)) {
    if (ids.has(sample.id)) {
      const again = new RecordError(where, `expected every id once, found ${JSON.stringify(sample.id)} again`);
      if (!('onMalformed' in source) || source.onMalformed === 'stop') throw again;
      skip(summary, again);
      continue;
    }
    ids.add(sample.id);
    summary.samples++;
    yield sample;
  }
}

async function* read(
  source: Source,
  context: SourceContext,
  summary: SourceSummary,
): AsyncGenerator<{ sample: Sample; where: string }> {
  if (source.type === 'world') {
    for await (const sample of readWorld(source)) yield { sample, where: 'source world' };
  } else {
    yield* readFiles(FORMATS[source.type] as Format<FileOptions>, source, context, summary);
  }
}
