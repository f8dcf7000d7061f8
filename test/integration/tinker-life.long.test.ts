/**
 * What befalls a run that a training service trains, after it was begun: a judge scores it, a phase that found nothing to
 * learn from is replayed, another run branches off it, and its newest policy is evaluated by the clock.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScoredRollouts, UpdateRecord } from '../../activities/artifacts/formats';
import type { CurriculumResult, Progress } from '../../activities/contract/index';
import { readLines } from '../../activities/store/index';
import { FakeChat } from '../support/fake-chat';
import { type ServedCluster, startServedCluster } from '../support/served-cluster';
import { servedFiles } from '../support/served-run';
import { until } from '../support/temporal-server';

jest.setTimeout(600_000);

/** Says yes to every second question that it is asked, once it says yes to any. */
const judge = new FakeChat();
let mild = false;
let asked = 0;
judge.reply = () => (mild && ++asked % 2 ? '[[YES]]' : '[[NO]]');

let cluster: ServedCluster;
beforeAll(async () => {
  await judge.start();
  cluster = await startServedCluster();
  await Promise.all([cluster.workers.start('cpu'), cluster.workers.start('gpu')]);
});
afterAll(async () => {
  await cluster?.stop();
  await judge.stop();
});

const handleOf = (run: string) => cluster.server.env.client.workflow.getHandle(run);
const progressOf = (run: string) => handleOf(run).query<Progress>('progress');
const resultOf = (run: string): Promise<CurriculumResult> => handleOf(run).result();

async function updateOf(step: string): Promise<UpdateRecord> {
  return JSON.parse(await readFile(join(cluster.folder, 'store', 'runs', step, 'update.json'), 'utf8'));
}

test('a run is scored by a judge, and a phase in which it passed nothing is replayed', async () => {
  const { warmup: _, reward: __, ...spec } = await servedFiles(cluster.folder);
  const file = join(cluster.folder, 'judged.json');
  const signal = { minEffectiveGroups: 1, patience: 1, onMissing: 'stop' };
  const judged = {
    ...spec,
    reward: { judge: { url: judge.url, model: 'm' } },
    rl: { ...spec.rl, signal },
  };
  await writeFile(file, JSON.stringify(judged));
  await cluster.longhaul('run', file, '--name', 'judged');

  await until(async () => (await progressOf('judged')).state === 'awaiting-replay', 300_000);
  expect((await progressOf('judged')).advice).toContain('phase-1 has no signal to learn from');
  mild = true;
  const overrides = { 'rl.optimizer.learningRate': 2e-3 };
  expect(await handleOf('judged').executeUpdate('replayPhase', { args: [{ phase: 1, overrides }] })).toEqual({
    phase: 1,
    attempt: 2,
  });
  const { stages } = await resultOf('judged');
  expect(stages.map(({ name, steps }) => [name, steps])).toEqual([
    ['phase-1', 2],
    ['phase-2', 2],
  ]);

  const first = await updateOf('judged/phase-1/2/steps/1');
  expect(first.inputs.parent.name).toBe((await updateOf('judged/phase-1/1/steps/1')).inputs.parent.name);
  expect(first.metrics.map(({ optimizerStep }) => optimizerStep)).toEqual([1, 2]);
  const scored = await readLines<ScoredRollouts>(cluster.store, first.inputs.rounds[0]!.scores);
  const rewards = scored.flatMap(({ responses }) => responses.map(({ reward }) => reward));
  expect(new Set(rewards)).toEqual(new Set([0, 1]));
});

test('another run branches off it, from the policy that its phase began with', async () => {
  const settings = ['--set', 'phases.1.rl.optimizer.learningRate=5e-3'];
  await cluster.longhaul('run', '--from', 'judged/phase-2', '--name', 'branch', ...settings);
  const { stages, policy } = await resultOf('branch');
  expect(stages.map(({ name, steps }) => [name, steps])).toEqual([['phase-2', 2]]);
  const judged = await resultOf('judged');
  expect((await updateOf('branch/phase-2/1/steps/1')).inputs.parent.name).toBe(judged.stages[0]!.policy.name);
  expect(policy.name).not.toBe(judged.policy.name);
});

test('its newest policy is evaluated at every firing of a schedule, which are compared', async () => {
  const { longhaul, folder } = cluster;
  const { data, prompt } = await servedFiles(folder);
  const file = join(folder, 'eval.json');
  const evaluation = {
    benchmarks: [{ name: 'questions', source: data[0], limit: 4 }],
    prompt,
    sampling: { temperature: 0, maxNewTokens: 4 },
  };
  await writeFile(file, JSON.stringify(evaluation));
  await longhaul('schedule', 'create', 'nightly', '--evaluation', file, '--run', 'branch', '--cron', '0 3 * * *');
  await longhaul('schedule', 'trigger', 'nightly', '--wait');
  await longhaul('schedule', 'trigger', 'nightly', '--wait');
  const history = JSON.parse(await longhaul('schedule', 'history', 'nightly', '--format', 'json'));
  const { name } = (await resultOf('branch')).policy;
  expect(history).toMatchObject([
    { model: { policy: { name } }, rows: [{ items: 4 }], before: null },
    { model: { policy: { name } }, rows: [{ items: 4 }], before: { firing: history[0].firing }, regression: false },
  ]);
});
