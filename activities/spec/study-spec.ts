/**
 * The spec of a study: a base spec, variants of it, seeds, and what is claimed of them. The schema is the type and the
 * reference; what the parts say together is checked in validate-study.ts.
 */
import { z } from 'zod';
import { runNameSchema } from './run-spec.js';

/** Variants stand in the names of runs, `<study>.<variant>.<seed>`, where the dots tell the parts apart. */
export const variantNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/,
    'expected letters, digits, "_" or "-", 40 at most, the first a letter or digit',
  );

/** Each cell is a workflow that its study hears of some hundred times: past this the study's history would be too long. */
export const MOST_CELLS = 200;

const policySchema = z
  .string()
  .regex(/^(?:base|sft|phase-[1-9]\d*|final)$/, 'expected "base", "sft", "phase-K" or "final"');

const hypothesisSchema = z.strictObject({
  variant: z.string().min(1).describe('The variant that is claimed to score higher.'),
  above: z.string().min(1).describe('The variant that it is claimed to score higher than; it may be the same one.'),
  on: z.string().min(1).describe('The evaluation set, by its name in the spec.'),
  at: policySchema
    .default('final')
    .describe('Which policy of `variant`: `base`, `sft`, `phase-K`, or `final`, the last.'),
  aboveAt: policySchema.optional().meta({ unlessGiven: 'as `at`', description: 'Which policy of `above`.' }),
  claim: z.string().min(1).optional().meta({ unlessGiven: 'none', description: 'The claim in words, for the report.' }),
});

export const studySpecSchema = z.strictObject({
  base: z
    .union([z.string().min(1), z.record(z.string(), z.json())], {
      error: 'expected the name of a preset or a spec file, or a block of fields',
    })
    .describe('What all variants begin from: a preset, a spec file (its path from this file’s folder), or a spec.'),
  set: z
    .record(z.string(), z.json())
    .default({})
    .describe('Values laid over the base for all variants, by dotted path, as with `--set`.'),
  variants: z
    .array(
      z.strictObject({
        name: variantNameSchema.describe('What the report calls it.'),
        set: z
          .record(z.string(), z.json())
          .default({})
          .describe('Values laid over that for this variant alone; none: the base itself.'),
      }),
    )
    .min(1)
    .describe('What is compared. Each is trained once with every seed.'),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .describe('Of all variants alike: runs of one seed differ by their variant alone.'),
  hypotheses: z
    .array(hypothesisSchema)
    .default([])
    .describe('Claims that the report finds shown, refuted or open: `variant` scores higher than `above`.'),
  atOnce: z.int().min(1).max(64).default(1).meta({
    unit: 'runs',
    description:
      'Runs under way at once: as many as there are GPU workers, since each has one policy in memory. It changes no bit, so a study may go on with another.',
  }),
});

export type StudySpec = z.output<typeof studySpecSchema>;
export type Hypothesis = StudySpec['hypotheses'][number];

/** The run of one variant with one seed. @throws ZodError where that would be no run's name */
export const cellRun = (study: string, variant: string, seed: number): string =>
  runNameSchema.parse(`${study}.${variant}.${seed}`);
