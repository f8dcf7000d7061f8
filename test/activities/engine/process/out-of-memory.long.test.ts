/**
 * The real engine on too little memory: it fails, starts again with half the budget for activations, and takes the step
 * that an engine with all the memory takes, to the bit. How it fails differs: onnxruntime reports what it could not
 * allocate, or V8 ends the process; either halves the budget, the latter at the second time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_OPTIMIZER, type Engine, EngineLostError } from '../../../../activities/engine/protocol/index.js';
import { randomStream } from '../../../../activities/engine/random.js';
import { writeUntrainedLlama } from '../../../../infra/presets/untrained-llama.js';
import { ENGINE_PROGRAM, realEngine } from '../../../support/engine.js';

jest.setTimeout(120_000);

const MEBIBYTE = 2 ** 20;
/** Of private memory, in all. Whole, the step takes 1.3 GiB; in halves 0.8 GiB, in quarters 0.5 GiB. */
const LIMIT = 800 * MEBIBYTE;
/** Lets the model be kept whole. */
const BUDGET = 1000 * MEBIBYTE;
const TRIES = 8;

const SHAPE = {
  vocabularySize: 512,
  hiddenSize: 256,
  intermediateSize: 1024,
  layers: 8,
  heads: 4,
  contextLength: 1024,
};
/** 2,048 tokens in one pass. */
const EXAMPLES = Array.from({ length: 4 }, (_, example) => {
  const ids = Array.from({ length: 512 }, (_, t) => (7 * t + 13 * example) % SHAPE.vocabularySize);
  return { promptIds: ids.slice(0, 1), responseIds: ids.slice(1) };
});

/** Limits itself, and says nothing as it dies. */
const LIMITED = `
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
execFileSync('prlimit', ['--pid', String(process.pid), '--data=${LIMIT}', '--core=0']);
fs.closeSync(2);
fs.openSync('/dev/null', 'w');
require(${JSON.stringify(ENGINE_PROGRAM)});`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-memory-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function step(engine: Engine): Promise<string> {
  await engine.call('load', { directory: join(folder, 'model'), tag: 'base' });
  const optimizer = { ...DEFAULT_OPTIMIZER, learningRate: 1e-3 };
  await engine.call('sft', { examples: EXAMPLES, optimizer, microBatchTokens: 4096, tag: 'one' });
  return (await engine.call('fingerprint', {})).sha256;
}

const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

(canLimit ? test : test.skip)('a step that does not fit succeeds with less, to the same bits', async () => {
  const program = join(folder, 'limited.js');
  await writeFile(program, LIMITED);
  await writeUntrainedLlama(join(folder, 'model'), { ...SHAPE, eosId: null }, name => ({
    deviation: 0.02,
    random: randomStream(name),
  }));
  const free = realEngine({ memory: BUDGET });
  const expected = await step(free).finally(() => free.close());

  const limited = realEngine({ memory: BUDGET, program });
  const failures: Error[] = [];
  try {
    let found: string | null = null;
    while (found === null) {
      found = await step(limited).catch((error: Error) => {
        failures.push(error);
        if (failures.length === TRIES) throw error;
        return null;
      });
    }
    expect(found).toBe(expected);
    // It is still under the limit.
    const { pid } = await limited.call('status', {});
    expect(execFileSync('prlimit', ['--pid', String(pid), '--data', '--noheadings'], { encoding: 'utf8' })).toContain(
      String(LIMIT),
    );
  } finally {
    await limited.close();
  }
  expect(failures.every(error => error instanceof EngineLostError)).toBe(true);
  expect(failures.some(({ message }) => /the next one has 500 MiB/.test(message))).toBe(true);
});
