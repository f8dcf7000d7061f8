/** A proposed spec as YAML, each part with what it was taken from. */
import { isAbsolute, relative, sep } from 'node:path';
import { lengthsOf } from '../../activities/datasets/index.js';
import { modeline } from '../docs/references.js';
import { evaluatedOn, type Found, type FoundModel, roomForResponse, trainedOn } from './look.js';
import type { Plan } from './plan.js';

export interface Places {
  /** Where the spec will lie: paths are written from there. */
  folder: string;
  /** How the file is called on a command line. */
  file: string;
  /** The schema for editors. */
  schema: string;
}

export function specText(found: Found, plan: Plan, { folder, file, schema }: Places): string {
  const path = (place: string): string =>
    JSON.stringify(isAbsolute(place) ? relative(folder, place).split(sep).join('/') || '.' : place);
  const source: SourceText = ({ type, path: place, ...rest }) => {
    const fields = Object.entries(rest).map(([name, value]) => `, ${name}: ${JSON.stringify(value)}`);
    return `{ type: ${type}, path: ${path(place)}${fields.join('')} }`;
  };
  const sections = [
    [
      modeline(schema),
      `# Run it:            npm start -- ${file}`,
      `# What it trains on: npx longhaul data inspect ${file}`,
      '# Every field:       docs/spec.md; what is not said here has the default there.',
    ],
    modelLines(found.model, plan, path(found.model.name)),
    dataLines(found, source),
    warmupLines(found, plan, source),
    rlLines(found, plan),
    phaseLines(plan),
    evaluationLines(found, plan, source),
  ];
  return `${sections.map(lines => lines.join('\n')).join('\n\n')}\n`;
}

type SourceText = (source: { type: string; path: string } & Record<string, unknown>) => string;

function modelLines(model: FoundModel, { lora }: Plan, path: string): string[] {
  const { architecture, parameters, contextLength, hasChatTemplate } = model;
  return [
    `# ${architecture}, ${millions(parameters)} million weights, a context of ${contextLength} tokens, ${hasChatTemplate ? 'with a' : 'without'} chat template.`,
    `model: ${path}`,
    ...(lora
      ? [
          `# Trains an adapter: all weights with their optimiser would take ${Math.ceil((16 * parameters) / 2 ** 30)} GiB. Remove it to train all.`,
          'lora: { rank: 16, alpha: 32 }',
        ]
      : []),
    ...(hasChatTemplate ? [] : ['prompt: { chat: false }']),
  ];
}

export const millions = (count: number): string => (count / 1e6).toFixed(count < 1e7 ? 2 : 0);

function dataLines({ sources, data }: Found, text: SourceText): string[] {
  const { least, median, most } = lengthsOf(data.train.map(({ promptIds }) => promptIds.length))!;
  return [
    `# ${data.train.length} questions to train on; prompts of ${least} to ${most} tokens, half of them at most ${median}.`,
    ...(sources.some(({ paragraphs }) => paragraphs)
      ? [
          '# With all their paragraphs the prompts are too long for the model’s context, so each is asked over a few of them.',
        ]
      : []),
    'data:',
    ...sources.map(one => {
      const said = [
        ...(one.heldOut ? [`the first ${one.heldOut.to} records are for evaluation`] : []),
        ...(one.malformed > 0 ? [`malformed records: ${one.malformed}, which longhaul data inspect names`] : []),
      ];
      return `  - ${text(trainedOn(one))}${said.length > 0 ? ` # ${said.join('; ')}` : ''}`;
    }),
  ];
}

function warmupLines({ sources, data }: Found, { warmup }: Plan, text: SourceText): string[] {
  const traces = data.warmup?.length ?? 0;
  if (!warmup) {
    return [
      `# No warm-up: ${traces > 0 ? 'the traces do not fit the first phase' : 'the data has no reasoning traces'}.`,
    ];
  }
  const { maxTokens, epochs, batchSize, rate, samples } = warmup;
  return [
    `# ${traces} of ${data.train.length} questions have a reasoning trace; ${samples} fit the first phase.`,
    'warmup:',
    '  data:',
    ...sources.map(one => `    - ${text(trainedOn(one))}`),
    `  maxTokens: ${maxTokens}`,
    `  epochs: ${epochs}`,
    `  batchSize: ${batchSize}`,
    `  optimizer: { learningRate: ${rateText(rate)} }`,
  ];
}

/** YAML 1.1 takes 1e-5 for a text: it wants the point. */
const rateText = (rate: number): string => rate.toExponential().replace(/^(\d)e/, '$1.0e');

function rlLines({ data, model }: Found, { promptsPerStep, rlRate, maxNewTokens }: Plan): string[] {
  const full = maxNewTokens === roomForResponse(model.contextLength);
  const why =
    data.warmup?.length && !full ? 'by the length of the traces' : 'raise it for models that reason at length';
  return [
    'rl:',
    `  promptsPerStep: ${promptsPerStep} # each with 8 responses (groupSize)`,
    `  optimizer: { learningRate: ${rateText(rlRate)} } # the paper’s 2e-6 is for all of 14 billion weights and more`,
    `  sampling: { maxNewTokens: ${maxNewTokens} } # ${why}`,
  ];
}

function phaseLines({ phases, beyond }: Plan): string[] {
  return [
    '# By how the lengths are spread. The longest prompt and its response must fit the model’s context together.',
    ...(beyond > 0
      ? [`# ${beyond} questions are too long for that and not trained on; prompt: { truncate: … } would cut them.`]
      : []),
    'phases:',
    ...phases.map(
      ({ maxTokens, steps, samples }) => `  - { maxTokens: ${maxTokens}, steps: ${steps} } # ${samples} questions`,
    ),
  ];
}

function evaluationLines({ sources, data }: Found, plan: Plan, text: SourceText): string[] {
  const sets = evaluatedOn(sources);
  if (sets.length === 0) {
    return ['# No evaluation: there are too few questions to hold any out. Add a set of others under evaluation.sets.'];
  }
  return [
    '# Held out: never trained on. Greedy answers.',
    'evaluation:',
    `  sampling: { temperature: 0, topP: 1, maxNewTokens: ${plan.maxNewTokens} }`,
    '  sets:',
    ...sets.flatMap(({ name, source }, k) => {
      const { kinds, samples } = plan.overlaps[k]!;
      return [
        `    - name: ${name} # ${data.sets[k]!.items.length} questions`,
        `      source: ${text(source)}`,
        ...(kinds.length > 0
          ? [
              `      # ${samples} of them share ${kinds.join(' and ')} with what is trained on, which flatters their scores: better take another file.`,
              `      allowOverlap: [${kinds.join(', ')}]`,
            ]
          : []),
      ];
    }),
  ];
}
