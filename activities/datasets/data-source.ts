/**
 * A source as a spec names it: a reader's own options, and for any that reads files those that make long contexts of short
 * ones. Samples so made depend on the model's tokens, so they are made where the run's tokenizer is.
 */
import { z } from 'zod';
import { type PromptMeasure, withDistractors } from './distractors.js';
import { DocumentPool } from './document-pool.js';
import { hiddenByKeychain, keychainFor } from './keychain.js';
import type { Sample } from './sample.js';
import { type OpenedSource, type Source, type SourceSummary, sourceSchema } from './sources.js';

const positiveInt = z.int().positive();
/** Tokens of the whole prompt; of a list, one sample for each. */
const upTo = z.union([positiveInt, z.array(positiveInt).min(1)]);
const seed = z.int().min(0).default(0);

const distractorsSchema = z.strictObject({
  upTo,
  /** Whose documents are added; absent: those of the source's other questions. */
  from: sourceSchema.optional(),
  seed,
});

const keychainSchema = z.strictObject({
  /** Chains that lead to other questions. */
  chains: z.int().min(0),
  /** Keys of each chain. */
  length: positiveInt,
  /** Adds distractors up to this length, as `distractors: { upTo }` does. */
  upTo: upTo.optional(),
  seed,
});

const lengtheningShape = { distractors: distractorsSchema.optional(), keychain: keychainSchema.optional() };
const lengtheningSchema = z.object(lengtheningShape);
export type Lengthening = z.output<typeof lengtheningSchema>;
export type DataSource = Source & Lengthening;

const lengthened = (option: z.ZodObject): z.ZodObject =>
  option.safeExtend(lengtheningShape).refine(({ distractors, keychain }) => !distractors || !hasLength(keychain), {
    path: ['keychain', 'upTo'],
    error: 'expected nothing here beside "distractors", whose upTo says the length',
  });
const hasLength = (keychain: unknown): boolean => (keychain as Lengthening['keychain'])?.upTo !== undefined;

/** Those readers that read files, with the options above; generated documents have a length of their own. */
export const dataSourceSchema = z.discriminatedUnion(
  'type',
  sourceSchema.options.map(option =>
    'path' in option.shape ? lengthened(option) : option,
  ) as unknown as typeof sourceSchema.options,
) as unknown as z.ZodType<DataSource>;

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
  { distractors, keychain, ...source }: DataSource,
  open: (source: Source) => OpenedSource,
  measure: PromptMeasure,
): OpenedData {
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
