/** `longhaul start` as a person meets it: the built command, the real server, workers and engine, and Ctrl-C. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../../../infra/checkout';
import { runningStack } from '../../../infra/local/stack';
import { type Given, killAll, longhaul, setUp, until } from '../../support/longhaul-command';

/** A random model earns nothing: the phases have no signal, and are told to go on all the same. */
const SPEC = {
  model: join(CHECKOUT, 'test/fixtures/golden/qwen2'),
  prompt: { chat: false },
  data: [{ type: 'world', seed: 1, count: 12, facts: [3] }],
  warmup: { data: [{ type: 'world', seed: 2, count: 8, facts: [3] }], optimizer: { learningRate: 1e-3 } },
  rl: {
    groupSize: 2,
    promptsPerStep: 2,
    maxRefills: 1,
    optimizer: { learningRate: 1e-4 },
    sampling: { temperature: 1, maxNewTokens: 8 },
    signal: { onMissing: 'continue' },
  },
  phases: [{ maxTokens: 300, steps: 40 }],
  evaluation: {
    sets: [{ name: 'short', source: { type: 'world', seed: 3, count: 4, facts: [3] } }],
    policies: ['base', 'final'],
  },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-start-'));
  await writeFile(join(folder, 'small.json'), JSON.stringify(SPEC));
  setUp();
}, 300_000);
afterAll(async () => {
  killAll();
  await rm(folder, { recursive: true, force: true });
});

const start = (...args: string[]): Given =>
  longhaul('start', join(folder, 'small.json'), '--state', join(folder, 'state'), ...args);

test('a wrong spec is refused before anything is started', async () => {
  const refused = start('--set', 'phases.0.steps=none');
  expect(await refused.ended).toBe(1);
  expect(refused.text()).toContain('phases[0].steps');
  expect(runningStack(join(folder, 'state'))).toBeNull();
});

test('Ctrl-C in the middle stops cleanly, the same command finishes the run, and says so from then on', async () => {
  const first = start();
  // By the log: steps this quick are over before they are shown.
  const step = join(folder, 'state/store/runs/small/phase-1/1/steps/3/update.json');
  await until(() => /phase-1: running/.test(first.text()) && existsSync(step), first);
  first.interrupt();
  expect(await first.ended).toBe(130);
  expect(first.text()).toContain('The run "small" has started.');
  expect(first.text()).toContain(
    `Stopped. Nothing is lost. To go on: npx longhaul start ${join(folder, 'small.json')}`,
  );
  expect(runningStack(join(folder, 'state'))).toBeNull();

  const second = start();
  expect(await second.ended).toBe(0);
  expect(second.text()).toContain('The run "small" is unfinished: it goes on where it was.');
  expect(second.text()).toMatch(/^score % \[95 % interval\] {2}short \(\d+ tokens, n=4\)$/m);
  expect(second.text()).toMatch(/^base .*\n^final /m);
  expect(second.text()).toMatch(/^A held-out question \(short, /m);
  expect(second.text()).toMatch(/^sha256 {3}[0-9a-f]{64} /m);

  const third = start();
  expect(await third.ended).toBe(0);
  expect(third.text()).toContain('The run "small" is finished. For a new one, give another name: --name NAME.');
  const tableOf = ({ text }: Given) => /^score %[\s\S]*?\n\n/m.exec(text())?.[0];
  expect(tableOf(third)).toBe(tableOf(second));
}, 240_000);
