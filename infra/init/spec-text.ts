/** A proposed spec as YAML, each part with what it was taken from. */
import { isAbsolute, relative, sep } from 'node:path';
import { lengthsOf } from '../../activities/datasets/lengths.js';
import { modeline } from '../docs/references.js';
import { evaluatedOn, type Found, trainedOn } from './look.js';
import type { Plan } from './plan.js';

export interface Places {
  /** Where the spec will lie: paths are written from there. */
  folder: string;
  /** How the file is called on a command line. */
  file: string;
  /** The schema for editors. */
  schema: string;
}

export function specText({ model, sources, data }: Found, plan: Plan, { folder, file, schema }: Places): string {
  const path = (place: string): string => {
    if (!isAbsolute(place)) return JSON.stringify(place);
    return JSON.stringify(relative(folder, place).split(sep).join('/') || '.');
  };
  const flow = ({ path: place, ...fields }: { path: string; [field: string]: unknown }): string =>
    `{ ${Object.entries({ type: fields.type, path: place, ...fields })
      .map(([name, value]) => `${name}: ${name === 'path' ? path(String(value)) : value}`)
      .join(', ')} }`;
  const lengths = lengthsOf(data.train.map(({ promptIds }) => promptIds.length))!;
  const traces = data.warmup?.length ?? 0;
  const sets = evaluatedOn(sources);
  return `${[
    modeline(schema),
    `# Run it:            npm start -- ${file}`,
    `# What it trains on: npx longhaul data inspect ${file}`,
    '# Every field:       docs/spec.md; what is not said here has the default there.',
    '',
    `# ${model.architecture}, ${millions(model.parameters)} million weights, a context of ${model.contextLength} tokens, ${model.hasChatTemplate ? 'with' : 'without'} a chat template.`,
    `model: ${path(model.name)}`,
    ...(plan.lora
      ? [
          '# Trains an adapter: all weights with their optimiser would take ' +
            `${Math.ceil((16 * model.parameters) / 2 ** 30)} GiB. Remove it to train all.`,
          'lora: { rank: 16, alpha: 32 }',
        ]
      : []),
    ...(model.hasChatTemplate ? [] : ['prompt: { chat: false }']),
    '',
    `# ${data.train.length} questions to train on; prompts of ${lengths.least} to ${lengths.most} tokens, half of them at most ${lengths.median}.`,
    'data:',
    ...sources.map(
      source =>
        `  - ${flow(trainedOn(source))}${source.heldOut ? ` # the first ${source.heldOut.to} records are for evaluation` : ''}`,
    ),
    '',
    ...warmupLines(
      plan,
      traces,
      data.train.length,
      sources.map(source => flow(trainedOn(source))),
    ),
    '',
    'rl:',
    `  promptsPerStep: ${plan.promptsPerStep} # with 8 responses each (groupSize)`,
    `  optimizer: { learningRate: ${plan.rlRate.toExponential().replace(/^(\d)e/, '$1.0e')} } # the paper’s 2e-6 is for 14 billion weights and more`,
    `  sampling: { maxNewTokens: ${plan.maxNewTokens} } # ${traces > 0 ? 'by the length of the traces' : 'raise it for models that reason at length'}`,
    '',
    `# Phases of growing length, by how the prompts’ lengths are spread. With the response they must fit the model’s context.`,
    'phases:',
    ...plan.phases.map(
      ({ maxTokens, steps, samples }) => `  - { maxTokens: ${maxTokens}, steps: ${steps} } # ${samples} questions`,
    ),
    ...(plan.beyond > 0
      ? [
          `# ${plan.beyond} questions are too long for the model’s context and are not trained on; prompt: { truncate: … } would cut them.`,
        ]
      : []),
    '',
    ...(sets.length === 0
      ? ['# No evaluation: there are too few questions to hold any out. Add a set of others under evaluation.sets.']
      : [
          '# Held out: never trained on. Greedy answers.',
          'evaluation:',
          `  sampling: { temperature: 0, topP: 1, maxNewTokens: ${plan.maxNewTokens} }`,
          '  sets:',
          ...sets.flatMap(({ name, source }, k) =>
            setLines(name, flow(source), plan.overlaps[k]!, data.sets[k]!.items.length),
          ),
        ]),
  ].join('\n')}\n`;
}

const millions = (count: number): string => (count / 1e6).toFixed(count < 1e7 ? 2 : 0);

function warmupLines({ warmup }: Plan, traces: number, samples: number, sources: string[]): string[] {
  if (!warmup) {
    const why = traces > 0 ? 'the traces do not fit the first phase' : 'the data has no reasoning traces';
    return [`# No warm-up: ${why}.`];
  }
  const { maxTokens, epochs, batchSize, rate } = warmup;
  return [
    `# ${traces} of ${samples} questions have a reasoning trace; ${warmup.samples} fit the first phase.`,
    'warmup:',
    '  data:',
    ...sources.map(source => `    - ${source}`),
    `  maxTokens: ${maxTokens}`,
    `  epochs: ${epochs}`,
    `  batchSize: ${batchSize}`,
    `  optimizer: { learningRate: ${rate.toExponential().replace(/^(\d)e/, '$1.0e')} }`,
  ];
}

function setLines(name: string, source: string, { kinds, samples }: Plan['overlaps'][number], count: number): string[] {
  return [
    `    - name: ${name} # ${count} questions`,
    `      source: ${source}`,
    ...(kinds.length > 0
      ? [
          `      # ${samples} of them share ${kinds.join(' and ')} with what is trained on: scores flatter by that much. Better evaluate on another file.`,
          `      allowOverlap: [${kinds.join(', ')}]`,
        ]
      : []),
  ];
}
