/** The references that are made from schemas: a page for people and a JSON Schema for editors each. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { runSpecSchema, studySpecSchema } from '../../activities/spec/index.js';
import { CHECKOUT } from '../checkout.js';
import { evaluationFileSchema } from '../specs/evaluation-files.js';
import { described, editorSchema } from './json-schema.js';
import { type Page, pageText } from './page.js';

interface Reference extends Page {
  schema: z.ZodType;
  page: string;
  editors: string;
}

const SPEC_OPENING = `\`\`\`sh
npx longhaul init --model FOLDER --data FILE    # looks at both and writes my.yaml
npm start -- my.yaml                            # runs it
npm start -- my.yaml --set rl.groupSize=16      # with another value for one field
\`\`\`

A spec is YAML or JSON. Only \`model\`, \`data\` and \`phases\` must be there; everything else has the default below. Paths are
taken from the spec's own folder. In a path, \`[]\` stands for each entry of a list: \`phases[].steps\` is \`phases[0].steps\`, or
\`phases.0.steps\`, with \`--set\`.

\`\`\`yaml spec
# yaml-language-server: $schema=../infra/presets/spec.schema.json
model: hf:Qwen/Qwen2.5-0.5B-Instruct
data: [{ type: jsonl, path: train.jsonl }]
phases: [{ maxTokens: 1024, steps: 20 }, { maxTokens: 2048, steps: 20 }]
\`\`\`

The first line lets editors complete and check the file (VS Code: the extension YAML).`;

const EVALUATION_OPENING = `\`\`\`sh
npx longhaul evaluate eval.yaml                                   # answers and scores
npx longhaul table eval --published                               # beside the paper's rows
npx longhaul schedule create nightly --evaluation eval.yaml --run my-run --cron '0 3 * * *'
\`\`\`

An evaluation spec is YAML or JSON. Only \`benchmarks\` and \`model\` or \`models\` must be there. Paths are taken from the
spec's own folder. A complete one is [infra/examples/evaluation.yaml](../infra/examples/evaluation.yaml).`;

const STUDY_OPENING = `\`\`\`sh
npx longhaul study my-study.yaml            # trains every variant with every seed, and reports
npx longhaul study my-study.yaml --check    # computes the report again from the store
\`\`\`

A study is YAML or JSON. \`base\`, \`variants\` and \`seeds\` must be there. Paths are taken from the study's own folder.
[Studies](studies.md) says what becomes of it; [infra/studies](../infra/studies) has some to start from.

\`\`\`yaml study
base: tiny
variants:
  - { name: full }
  - { name: cold, set: { warmup: null } }
seeds: [1, 2, 3]
hypotheses:
  - { variant: full, above: cold, on: 80-facts }
\`\`\``;

export const REFERENCES: Reference[] = [
  {
    schema: runSpecSchema,
    title: 'The spec of a run',
    opening: SPEC_OPENING,
    top: 'The spec',
    page: 'docs/spec.md',
    editors: 'infra/presets/spec.schema.json',
  },
  {
    schema: evaluationFileSchema,
    title: 'The spec of an evaluation',
    opening: EVALUATION_OPENING,
    top: 'The evaluation spec',
    page: 'docs/evaluation-spec.md',
    editors: 'infra/examples/evaluation.schema.json',
  },
  {
    schema: studySpecSchema,
    title: 'The spec of a study',
    opening: STUDY_OPENING,
    top: 'The study',
    page: 'docs/study-spec.md',
    editors: 'infra/studies/study.schema.json',
  },
];

/** The first line of a YAML file, by which editors find its schema. */
export const modeline = (schema: string): string => `# yaml-language-server: $schema=${schema}`;

/** Every file that is made, with its text; paths are from the checkout's root. */
export function generated(): { path: string; text: string }[] {
  return REFERENCES.flatMap(reference => [
    { path: reference.page, text: pageText(described(reference.schema), reference) },
    { path: reference.editors, text: `${JSON.stringify(editorSchema(reference.schema, reference.title), null, 2)}\n` },
  ]);
}

/** Those that are not what the schemas say. */
export async function stale(): Promise<string[]> {
  const files = await Promise.all(
    generated().map(async ({ path, text }) => {
      const present = await readFile(join(CHECKOUT, path), 'utf8').catch(() => null);
      return present === text ? [] : [path];
    }),
  );
  return files.flat();
}
