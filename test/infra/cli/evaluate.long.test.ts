/** `longhaul evaluate` as a person meets it: the built command, the real server, workers and engine, and Ctrl-C. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../../../infra/checkout';
import { runningStack } from '../../../infra/local/stack';
import { type Given, killAll, longhaul, setUp, until } from '../../support/longhaul-command';

const SPEC = {
  models: [
    { label: 'one', folder: join(CHECKOUT, 'test/fixtures/golden/qwen2') },
    { label: 'two', folder: join(CHECKOUT, 'test/fixtures/golden/llama') },
  ],
  // Answered in parts. So many that a model seen at its first ones is still at work when Ctrl-C arrives.
  benchmarks: [{ name: 'facts', source: { type: 'world', seed: 3, count: 320, facts: [3] } }],
  prompt: { chat: false },
  sampling: { maxNewTokens: 24 },
  samples: 8,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-evaluate-'));
  await writeFile(join(folder, 'trial.json'), JSON.stringify(SPEC));
  setUp();
}, 300_000);
afterAll(async () => {
  killAll();
  await rm(folder, { recursive: true, force: true });
});

const given = (...args: string[]): Given => longhaul(...args, '--state', join(folder, 'state'));

test('a wrong spec is refused before anything is started', async () => {
  const refused = given('evaluate', join(folder, 'trial.json'), '--set', 'samples=none');
  expect(await refused.ended).toBe(1);
  expect(refused.text()).toContain('samples:');
  const missing = given('evaluate', join(folder, 'trial.json'), '--model', join(folder, 'nothing'));
  expect(await missing.ended).toBe(1);
  expect(missing.text()).toMatch(/model\.folder: .*holds no config\.json/);
  expect(runningStack(join(folder, 'state'))).toBeNull();
});

test('Ctrl-C stops, the same command goes on to the table, and the table is there without any server', async () => {
  const file = join(folder, 'trial.json');
  const first = given('evaluate', file);
  const answering = () => /trial\/(\w+): facts: answering, [1-9]/.exec(first.text());
  await until(() => answering() !== null, first);
  const interrupted = answering()![1];
  first.interrupt();
  expect(await first.ended).toBe(130);
  expect(first.text()).toContain('trial/one has started.');
  expect(first.text()).toContain(`Nothing is lost. To go on: npx longhaul evaluate ${file}`);
  expect(runningStack(join(folder, 'state'))).toBeNull();

  const second = given('evaluate', file);
  expect(await second.ended).toBe(0);
  expect(second.text()).toContain(`trial/${interrupted} is unfinished: it goes on where it was.`);
  expect(second.text()).toMatch(/^one \(baseline\) +\d/m);
  expect(second.text()).toMatch(/^two +\d/m);

  const table = given('table', 'trial', '--format', 'markdown');
  expect(await table.ended).toBe(0);
  expect(table.text()).toMatch(/^\| two \| .*~ \|/m);

  const third = given('evaluate', file);
  expect(await third.ended).toBe(0);
  expect(third.text()).toContain('trial/two is finished. To evaluate anew, give another name: --name NAME.');
}, 240_000);
