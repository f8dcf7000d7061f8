import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UpdateRecord } from '../../../activities/artifacts/formats.js';
import { logStep, stepsOf } from '../../../activities/policies/redo-log.js';
import { DivergenceError } from '../../../activities/store/index.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
beforeEach(async () => {
  small = await smallRun();
});
afterEach(() => small.remove());

const stage = { run: 'r', stage: 'phase-1', attempt: 1 };
const policy = (name: string) => ({ name, uri: 'store:runs/r/checkpoints/p', sha256: name });
const asked = (cached: number) => ({ asked: 4 - cached, cached, failed: 0, promptTokens: 9, completionTokens: 1 });

function record(change: { version?: string; cached?: number; loss?: number } = {}): UpdateRecord {
  const { version = '1', cached = 0, loss = 1 } = change;
  return {
    stage,
    step: 1,
    inputs: { parent: policy('a'), freshOptimizer: true, examples: null, rounds: [], settings: {} as never },
    result: policy('b'),
    skipped: null,
    metrics: [{ loss } as never],
    counts: { drawn: 4, judge: asked(cached) } as never,
    code: { longhaul: version, onnxruntime: '1' },
  };
}

async function logged(): Promise<UpdateRecord | undefined> {
  for await (const entry of stepsOf(small.store, stage)) return entry.record;
  return undefined;
}

test('a step made again by other code, or with answers that lay in the store by then, is the same step', async () => {
  await logStep(small.store, record());
  await logStep(small.store, record({ version: '2', cached: 3 }));
  expect(await logged()).toEqual(record());
  await expect(logStep(small.store, record({ loss: 2 }))).rejects.toThrow(DivergenceError);
});

test('so it is when the first one is damaged', async () => {
  await logStep(small.store, record());
  await writeFile(join(small.store.root, 'runs/r/phase-1/1/steps/1/update.json'), 'damaged');
  expect(await logged()).toBeUndefined();
  await expect(logStep(small.store, record({ loss: 2 }))).rejects.toThrow(DivergenceError);
  await logStep(small.store, record({ version: '2', cached: 3 }));
  expect(await logged()).toEqual(record({ version: '2', cached: 3 }));
});
