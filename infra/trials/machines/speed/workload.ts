/**
 * What is timed: a model of random weights that answers questions about long documents, and a reward that tells its answers
 * apart by nothing that matters, so that every step has an update and the policy changes.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomStream } from '../../../../activities/engine/random.js';
import { type RunSpec, validateSpec } from '../../../../activities/spec/index.js';
import { PRESETS } from '../../../checkout.js';
import { writeUntrainedLlama } from '../../../presets/untrained-llama.js';

/** The preset tiny's words, one token each. */
const TOKENIZER = join(PRESETS, 'tiny', 'base');
const VOCABULARY = 195;
const FACT = 'Maria trusts Ivan.';
const FACT_TOKENS = 4;
const DEVIATION = 0.02;
/** transformers' initializer_range would give logits so even that all answers were of one kind of noise; this serves. */
const REWARD = 'module.exports = ({ response }) => response.length % 2;\n';

export interface Workload {
  promptTokens: number;
  promptsPerStep: number;
  steps: number;
  items: number;
}

export const WORKLOAD: Workload = { promptTokens: 4096, promptsPerStep: 16, steps: 3, items: 16 };

/** Writes model, data and reward into the folder. */
export async function workloadSpec(folder: string, work: Workload, shards: number): Promise<RunSpec> {
  const model = join(folder, 'model');
  await mkdir(model, { recursive: true });
  const shape = { hiddenSize: 128, layers: 2, heads: 4, intermediateSize: 344, vocabularySize: VOCABULARY };
  await writeUntrainedLlama(model, { ...shape, contextLength: 131_072, eosId: 0 }, name => ({
    deviation: DEVIATION,
    random: randomStream('machines', 'weights', name),
  }));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    await copyFile(join(TOKENIZER, file), join(model, file));
  const [data, held, reward] = ['data.jsonl', 'held-out.jsonl', 'reward.cjs'].map(name => join(folder, name));
  await writeFile(data!, samples('train', work.promptsPerStep * (work.steps + 1), work.promptTokens));
  await writeFile(held!, samples('held-out', work.items, work.promptTokens));
  await writeFile(reward!, REWARD);
  const sampling = { temperature: 1, topP: 1, maxNewTokens: 16 };
  return validateSpec({
    model,
    prompt: { template: '{document}\nQ: {question}\nA:', chat: false },
    data: [{ type: 'jsonl', path: data }],
    reward: { custom: { module: reward } },
    rl: {
      groupSize: 4,
      promptsPerStep: work.promptsPerStep,
      maxRefills: 0,
      optimizer: { learningRate: 1e-4 },
      sampling,
      signal: { minEffectiveGroups: 1, onMissing: 'continue' },
    },
    phases: [{ maxTokens: 2 * work.promptTokens, steps: work.steps }],
    evaluation: {
      sets: [{ name: 'held-out', source: { type: 'jsonl', path: held }, allowOverlap: ['documents', 'questions'] }],
      policies: ['final'],
      sampling,
    },
    checkpoints: { everySteps: 1000 },
    shards,
  });
}

/** Documents of a little different lengths, as real ones are. */
function samples(kind: string, count: number, tokens: number): string {
  return Array.from({ length: count }, (_, k) => {
    const facts = Math.round((tokens / FACT_TOKENS) * (0.85 + (0.15 * ((k * 7) % count)) / count));
    const text = Array.from({ length: facts }, () => FACT).join(' ');
    const sample = {
      id: `${kind}-${k}`,
      question: `Who trusts ${k}?`,
      documents: [{ title: null, text }],
      answers: ['Ivan'],
    };
    return `${JSON.stringify(sample)}\n`;
  }).join('');
}
