/**
 * The engine on the provider webgpu, by a driver without a GPU: what it computes is within 1e-4 of the processor's, and the
 * same to the bit when it is computed again, by another process too, and by a run whose engine was killed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CallOptions,
  DEFAULT_OPTIMIZER,
  type Engine,
  type EngineOperations,
  type Operation,
} from '../../../../activities/engine/protocol/index';
import { driveRun } from '../../../support/drive';
import { realEngine } from '../../../support/engine';
import { golden, goldenFolder } from '../../../support/golden';
import { type SmallRun, smallRun } from '../../../support/small-run';
import { SWIFTSHADER_RUNS, swiftshader } from '../../../support/webgpu/swiftshader';

jest.setTimeout(600_000);

const FAMILY = 'llama';
const directory = goldenFolder(FAMILY);
const numbers = golden(FAMILY);
const common = { optimizer: { ...DEFAULT_OPTIMIZER, learningRate: 1e-3 }, microBatchTokens: 4096, tag: 'next' };
const prompts = [
  { ids: [5, 2, 9], seed: 'one' },
  { ids: [7, 3, 1, 8, 200, 4], seed: 'two' },
];
const sampling = { temperature: 1, topP: 0.95, topK: 0, maxNewTokens: 8, stopIds: [] };

const engines: Engine[] = [];
const engine = (provider: 'cpu' | 'webgpu'): Engine => {
  const made = realEngine({ provider, threads: 1 });
  engines.push(made);
  return made;
};

afterAll(() => Promise.all(engines.map(made => made.close())));

/** Scores and samples with the base. */
async function look(subject: Engine) {
  await subject.call('load', { directory, tag: 'base' });
  const sequences = numbers.sequences.slice(0, 5).map(({ ids }) => ids);
  const { logprobs } = await subject.call('logprobs', { sequences });
  const { groups } = await subject.call('generate', { prompts, group: 3, sampling });
  return {
    logprobs: logprobs.flat().map(logprob => logprob ?? 0),
    tokens: groups.map(({ responses }) => responses.map(({ ids }) => ids)),
    sampled: groups.flatMap(({ responses }) => responses.flatMap(response => response.logprobs)),
  };
}

/** The same, and a step of each kind. */
async function session(subject: Engine) {
  const looked = await look(subject);
  const sft = await subject.call('sft', { examples: numbers.sft.examples, ...common });
  const { groups: scored, settings: loss } = numbers.updates[1]!;
  const update = await subject.call('update', { groups: scored, loss, ...common });
  return { ...looked, metrics: [sft, update].flatMap(({ seconds: _, ...metrics }) => Object.values(metrics)) };
}

const farthest = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))), 0);

(SWIFTSHADER_RUNS ? describe : describe.skip)('with a driver that there is for x86-64 Linux', () => {
  const outside = { ...process.env };
  let subject: Engine;
  beforeAll(() => {
    Object.assign(process.env, swiftshader());
    subject = engine('webgpu');
  });
  afterAll(() => {
    for (const name of ['VK_DRIVER_FILES', 'LD_LIBRARY_PATH']) {
      if (outside[name] === undefined) delete process.env[name];
      else process.env[name] = outside[name];
    }
  });

  test('numbers are within 1e-4 of the processor’s, and the same to the bit when they are computed again', async () => {
    const device = await session(subject);
    const processor = await session(engine('cpu'));
    expect(device.tokens).toEqual(processor.tokens);
    for (const what of ['logprobs', 'sampled', 'metrics'] as const) {
      expect(device[what]).toHaveLength(processor[what].length);
      expect(farthest(device[what], processor[what])).toBeLessThan(1e-4);
    }
    const { metrics: _, ...looked } = device;
    expect(await look(subject)).toEqual(looked);
  });

  describe('a run', () => {
    const runs: SmallRun[] = [];
    afterAll(() => Promise.all(runs.map(run => run.remove())));

    async function outcome(trainer: Engine): Promise<string[]> {
      const run = await smallRun();
      runs.push(run);
      const { spec } = run;
      // Groups of responses that are equally long differ in it.
      const module = join(run.folder, 'reward.cjs');
      await writeFile(module, 'module.exports = ({ response }) => response.charCodeAt(0) % 2;');
      spec.model = directory;
      // Few of its samples: such a driver is slow.
      const data = join(run.folder, 'data.jsonl');
      const lines = (await readFile(data, 'utf8')).split('\n').slice(0, 8);
      await writeFile(data, `${lines.join('\n')}\n`);
      Object.assign(spec, {
        phases: [{ maxTokens: 40, steps: 2 }],
        reward: { custom: { module } },
        checkpoints: { everySteps: 100 },
      });
      const signal = { minEffectiveGroups: 1, onMissing: 'continue' };
      Object.assign(spec.rl, { promptsPerStep: 2, maxRefills: 0, signal, sampling: { maxNewTokens: 6 } });
      const deps = { ...run.deps, engine: trainer };
      const { sft, final } = await driveRun({ ...run, deps });
      return [sft, final].map(({ sha256 }) => sha256);
    }

    test('whose engine is killed in the middle of its last update ends with the bits of one that nothing befell', async () => {
      const undisturbed = await outcome(subject);
      const struck = new StruckEngine(engine('webgpu'), 'update', 2);
      expect(await outcome(struck)).toEqual(undisturbed);
      expect(struck.struck).toBe(true);
    });
  });
});

/** An engine whose process is killed in the middle of its n-th call of a kind. */
class StruckEngine implements Engine {
  struck = false;
  private calls = 0;

  constructor(
    private readonly engine: Engine,
    private readonly operation: Operation,
    private readonly nth: number,
  ) {}

  async call<O extends Operation>(
    operation: O,
    request: EngineOperations[O][0],
    options?: CallOptions,
  ): Promise<EngineOperations[O][1]> {
    const called = this.engine.call(operation, request, options);
    if (operation === this.operation && ++this.calls === this.nth) {
      this.struck = true;
      await this.engine.close();
    }
    return called;
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
