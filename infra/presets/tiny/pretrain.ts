/**
 * Pre-trains the tiny base from nothing on the engine: `node dist/infra/presets/tiny/pretrain.js [DIRECTORY]`, a few minutes
 * on two cores. The same seed gives the same weights; the folder shipped as infra/presets/tiny/base was made so.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../../activities/engine/process/index.js';
import { DEFAULT_OPTIMIZER } from '../../../activities/engine/protocol/index.js';
import { randomStream } from '../../../activities/engine/random.js';
import { loadTokenizer } from '../../../activities/engine/text/index.js';
import { writeInitialModel } from './initial.js';
import { LESSONS } from './lessons.js';

const SEED = 1;
const PEAK_LEARNING_RATE = 3e-3;
const WARMUP_STEPS = 50;
/** The learning rate falls linearly over the last part of all steps, to a twentieth of its peak. */
const DECAY_SHARE = 0.3;
const MICRO_BATCH_TOKENS = 4096;
const REPORT_EVERY = 50;

const TOTAL_STEPS = LESSONS.reduce((sum, lesson) => sum + lesson.steps, 0);

function learningRate(step: number): number {
  const left = (TOTAL_STEPS - step) / (TOTAL_STEPS * DECAY_SHARE);
  return PEAK_LEARNING_RATE * Math.min(1, (step + 1) / WARMUP_STEPS) * Math.min(1, Math.max(0.05, left));
}

async function pretrain(directory: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'longhaul-pretrain-'));
  const engine = createEngine();
  try {
    await writeInitialModel(scratch, SEED);
    await engine.call('load', { directory: scratch, optimizer: null, tag: 'initial' });
    const tokenizer = await loadTokenizer(scratch);
    const encode = (text: string): number[] => tokenizer.encode(text);
    const started = performance.now();
    let step = 0;
    let lossSum = 0;
    for (const { name, steps, batch, length, example } of LESSONS) {
      for (let k = 0; k < steps; k++, step++) {
        const random = randomStream('tiny/lessons', SEED, name, k);
        const examples = Array.from({ length: batch }, () => example(random, length, k / steps, encode));
        const optimizer = { ...DEFAULT_OPTIMIZER, beta2: 0.95, learningRate: learningRate(step) };
        const tag = `step ${step + 1}`;
        const { loss } = await engine.call('sft', { examples, optimizer, microBatchTokens: MICRO_BATCH_TOKENS, tag });
        lossSum += loss;
        if ((step + 1) % REPORT_EVERY !== 0) continue;
        const seconds = Math.round((performance.now() - started) / 1000);
        console.log(
          `${name}, step ${step + 1} of ${TOTAL_STEPS}: loss ${(lossSum / REPORT_EVERY).toFixed(3)}, ${seconds} s`,
        );
        lossSum = 0;
      }
    }
    const { sha256 } = await engine.call('save', { directory, withOptimizer: false });
    console.log(`${directory}: model.safetensors has SHA-256 ${sha256}`);
  } finally {
    await engine.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

pretrain(process.argv[2] ?? 'infra/presets/tiny/base').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
