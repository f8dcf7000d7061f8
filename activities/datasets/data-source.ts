/**
 * A source as a spec names it: a reader's own options, and for any that reads files those that make long contexts of short
 * ones. Samples so made depend on the model's tokens, so they are made where the run's tokenizer is.
 */
import { z } from 'zod';
import { type PromptMeasure, withDistractors } from './distractors.js';
import { DocumentPool } from './document-pool.js';
import { hiddenByKeychain, keychainFor } from './keychain.js';
import { rulerOptions, rulerSamples } from './ruler/index.js';
import type { Sample } from './sample.js';
import { emptySummary, type OpenedSource, type Source, type SourceSummary, sourceSchema } from './sources.js';

const positiveInt = z.int().positive();
const upTo = z
  .union([positiveInt, z.array(positiveInt).min(1)], {
    error: 'expected a whole number of tokens, 1 or more, or a list of such',
  })
  .meta({ unit: 'tokens', description: 'Length of the whole prompt; of a list, one sample for each.' });
const seed = z.int().min(0).default(0).describe('Which are drawn, and where they stand.');

const distractorsSchema = z.strictObject({
  upTo,
  from: sourceSchema.optional().meta({
    like: 'data',
    unlessGiven: 'the source’s other questions',
    description: 'Another source, whose documents are added.',
  }),
  seed,
});

const keychainSchema = z.strictObject({
  chains: z
    .int()
    .min(0)
    .meta({ unit: 'chains', description: 'Chains beside the true one, that lead to other questions.' }),
  length: positiveInt.meta({ unit: 'keys', description: 'Keys of each chain.' }),
  upTo: upTo.optional().meta({
    unit: 'tokens',
    unlessGiven: 'adds none',
    description: 'Adds distractors up to this length of the prompt, as `distractors: { upTo }` does.',
  }),
  seed,
});

const lengtheningShape = {
  distractors: distractorsSchema
    .optional()
    .meta({ unlessGiven: 'none', description: 'Lengthens contexts by documents of other questions.' }),
  keychain: keychainSchema.optional().meta({
    unlessGiven: 'none',
    description: 'Hides the question behind chains of keys scattered over the documents (LoongRL, arXiv 2510.19363).',
  }),
};
const lengtheningSchema = z.object(lengtheningShape);
export type Lengthening = z.output<typeof lengtheningSchema>;
type LengthenedSource = Source & Lengthening;

const measuredSchema = z.strictObject({
  type: z
    .literal('ruler')
    .describe('Tasks after RULER (Hsieh et al. 2024), generated at any length: retrieval, tracking, aggregation.'),
  ...rulerOptions,
});

/** Its samples are made to a length, in the model's tokens. */
type MeasuredSource = z.output<typeof measuredSchema>;
export type DataSource = LengthenedSource | MeasuredSource;

const lengthened = (option: z.ZodObject): z.ZodObject =>
  option.safeExtend(lengtheningShape).refine(({ distractors, keychain }) => !distractors || !hasLength(keychain), {
    path: ['keychain', 'upTo'],
    error: 'expected nothing here beside "distractors", whose upTo says the length',
  });
const hasLength = (keychain: unknown): boolean => (keychain as Lengthening['keychain'])?.upTo !== undefined;

/** Those readers that read files, with the options above; generated documents have a length of their own. */
const kinds: readonly z.ZodObject[] = [
  ...sourceSchema.options.map(option => ('path' in option.shape ? lengthened(option) : option)),
  measuredSchema,
];
const oneOf = <T>(options: readonly z.ZodObject[]) =>
  z.discriminatedUnion('type', options as unknown as typeof sourceSchema.options) as unknown as z.ZodType<T>;

export const dataSourceSchema = oneOf<DataSource>(kinds).meta({ id: 'dataSource' });

const taskShape = {
  taskName: z.string().min(1).optional().meta({
    unlessGiven: 'docqa, docmath or choice, as its questions are scored',
    description:
      'In `data`: the task that its questions count as, where steps are balanced by tasks (`rl.balanceTasks`) or advantages scaled by them (`rl.advantageScale`).',
  }),
};

export type TrainingSource = DataSource & { taskName?: string };

/** Sources whose questions RL draws. */
export const trainingSourceSchema = oneOf<TrainingSource>(kinds.map(kind => kind.safeExtend(taskShape))).meta({
  id: 'trainingSource',
});

/** What was made of a source's samples. */
export interface LengtheningSummary {
  /** Samples that are longer than the length asked for without any addition, and so left out. */
  tooLong: number;
  /** Samples left out because they would be those of a smaller length again. */
  repeated: number;
  /** Samples that stayed short because the documents there are did not suffice. */
  ranOut: number;
  addedDocuments: number;
  /** What the added documents were read from, where it is another source. */
  from?: SourceSummary;
}

export interface DataSummary extends SourceSummary {
  lengthening?: LengtheningSummary;
}

export interface OpenedData {
  /** To be gone through once. */
  samples: AsyncIterable<Sample>;
  /** Valid once `samples` has ended, or was left. */
  summary(): DataSummary;
}

/**
 * The source's samples as the spec asks for them. Of a source that lends its own documents or questions the first pass
 * gathers them, the second gives the samples; each document is held once.
 */
export function openData(
  given: DataSource,
  open: (source: Source) => OpenedSource,
  measure: PromptMeasure,
): OpenedData {
  if (given.type === 'ruler') return openMeasured(given, measure);
  const { distractors, keychain, ...source } = given;
  const plain = open(source);
  if (!distractors && !keychain) return plain;
  const counts: LengtheningSummary = { tooLong: 0, repeated: 0, ranOut: 0, addedDocuments: 0 };
  const upTo = distractors?.upTo ?? keychain?.upTo;
  async function* samples(): AsyncGenerator<Sample> {
    const own = new DocumentPool();
    if (keychain || !distractors?.from) for await (const sample of open(source).samples) own.add(sample);
    const lent = distractors?.from ? new DocumentPool() : own;
    if (distractors?.from) {
      const other = open(distractors.from);
      for await (const sample of other.samples) lent.add(sample);
      counts.from = other.summary();
    }
    const { questions } = own;
    for await (const sample of plain.samples) {
      const chain = keychain && keychainFor(sample, keychain, questions);
      const finished = (s: Sample): Sample => (chain ? hiddenByKeychain(s, chain, keychain) : s);
      const id = keychain ? `${sample.id}/k${keychain.chains}x${keychain.length}` : sample.id;
      if (upTo === undefined) {
        yield { ...finished(sample), id };
        continue;
      }
      const seed = distractors?.seed ?? keychain!.seed;
      const given = new Set<number>();
      for (const target of [upTo].flat()) {
        const made = withDistractors(sample, { upTo: target, seed }, lent, measure, finished);
        if (made === null) counts.tooLong++;
        else if (given.has(made.added)) counts.repeated++;
        else {
          given.add(made.added);
          counts.addedDocuments += made.added;
          if (made.ranOut) counts.ranOut++;
          yield { ...made.sample, id: `${id}/d${target}` };
        }
      }
    }
  }
  return { samples: samples(), summary: () => ({ ...plain.summary(), lengthening: counts }) };
}

function openMeasured(source: MeasuredSource, measure: PromptMeasure): OpenedData {
  const summary = emptySummary(source.type);
  const counts: LengtheningSummary = { tooLong: 0, repeated: 0, ranOut: 0, addedDocuments: 0 };
  async function* samples(): AsyncGenerator<Sample> {
    for (const sample of rulerSamples(source, measure, () => counts.tooLong++)) {
      summary.samples++;
      yield sample;
    }
  }
  return { samples: samples(), summary: () => ({ ...summary, lengthening: counts }) };
}
