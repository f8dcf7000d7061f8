/** What is laid around engine, store and judge measures them and changes nothing of what they do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, EngineLostError, EngineRequestError } from '../../../activities/engine/protocol';
import type { Rewarder } from '../../../activities/rewards';
import { DivergenceError, FolderStore, publishJson, readJson } from '../../../activities/store';
import { engineProcesses, measuredEngine } from '../../../activities/telemetry/measured-engine';
import { measuredRewarder } from '../../../activities/telemetry/measured-rewarder';
import { measuredStore } from '../../../activities/telemetry/measured-store';
import { metersObserver } from '../../../activities/telemetry/observer';
import { type Meters, openMeters } from '../../../activities/telemetry/registry';
import { driveRun } from '../../support/drive';
import { type Family, parseExposition, sampleOf } from '../../support/exposition';
import { smallRun } from '../../support/small-run';

let meters: Meters;
let families: Map<string, Family>;
beforeEach(async () => {
  meters = await openMeters();
});
const scrape = async () => {
  families = parseExposition(await meters.text());
};
const value = (name: string, labels: Record<string, string> = {}) => sampleOf(families, name, labels);

describe('an engine', () => {
  const engineThat = (call: () => Promise<unknown>): Engine =>
    measuredEngine({ call: call as Engine['call'], close: async () => {} }, meters);

  test('tells of tokens, responses and time', async () => {
    const responses = [{ finish: 'stop' }, { finish: 'length' }, { finish: 'length' }];
    const result = { promptTokens: 7, newTokens: 5, groups: [{ responses }] };
    const engine = engineThat(async () => result);
    expect(await engine.call('generate', {} as never)).toBe(result);
    await scrape();
    expect(value('longhaul_tokens_total', { kind: 'prompt' })).toBe(7);
    expect(value('longhaul_tokens_total', { kind: 'sampled' })).toBe(5);
    expect(value('longhaul_responses_total', { finish: 'length' })).toBe(2);
    expect(value('longhaul_engine_operation_seconds_count', { operation: 'generate' })).toBe(1);
    expect(value('longhaul_engine_busy')).toBe(0);
  });

  test.each([
    ['lost', new EngineLostError('gone')],
    ['not-finite', new EngineRequestError('NaN', 'not-finite')],
    ['internal', new TypeError('a fault')],
  ])('that fails (%s) is counted by the reason, and the error is as it was', async (reason, error) => {
    const engine = engineThat(() => Promise.reject(error));
    await expect(engine.call('status', {})).rejects.toBe(error);
    await scrape();
    expect(value('longhaul_engine_failures_total', { reason })).toBe(1);
    expect(value('longhaul_engine_operation_seconds_count', { operation: 'status' })).toBe(0);
    expect(value('longhaul_engine_busy')).toBe(0);
  });

  test('that was told to stop has not failed otherwise', async () => {
    const engine = engineThat(() => Promise.reject(new Error('stopped')));
    const stopped = engine.call('status', {}, { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow('stopped');
    await scrape();
    expect(value('longhaul_engine_failures_total', { reason: 'cancelled' })).toBe(1);
  });

  test('whose process starts again has restarted; its memory is that of the newest', async () => {
    const started = engineProcesses(meters);
    started(process.pid);
    await scrape();
    expect(value('longhaul_engine_restarts_total')).toBe(0);
    const resident = value('longhaul_engine_resident_memory_bytes');
    if (process.platform === 'linux') expect(resident).toBeGreaterThan(2 ** 20);
    started(undefined);
    await scrape();
    expect(value('longhaul_engine_restarts_total')).toBe(1);
    expect(value('longhaul_engine_resident_memory_bytes')).toBeUndefined();
  });
});

test('a store does what it did, and each operation is timed, failed ones too', async () => {
  const root = await mkdtemp(join(tmpdir(), 'longhaul-measured-'));
  try {
    const store = measuredStore(new FolderStore(root), meters);
    await store.create();
    await store.open();
    const ref = await publishJson(store, 'store:runs/r/a.json', { a: 1 });
    expect(await readJson(store, ref)).toEqual({ a: 1 });
    await expect(publishJson(store, 'store:runs/r/a.json', { a: 2 })).rejects.toThrow(DivergenceError);
    expect(await store.workFolder(async folder => typeof folder)).toBe('string');
    expect([store.root, store.placeOf('store:runs/r/a.json')]).toEqual([root, join(root, 'runs/r/a.json')]);
    await scrape();
    expect(value('longhaul_store_operation_seconds_count', { operation: 'publishText' })).toBe(2);
    expect(value('longhaul_store_failures_total', { operation: 'publishText' })).toBe(1);
    expect(value('longhaul_store_operation_seconds_count', { operation: 'readText' })).toBe(1);
  } finally {
    await rm(root, { recursive: true });
  }
});

describe('a judge', () => {
  const options = { signal: new AbortController().signal, note: () => {} };
  const rewarderThat = (reward: Rewarder['reward'], asksOthers = true) =>
    measuredRewarder({ asksOthers, reward }, meters);

  test('is counted by what it was asked', async () => {
    const judge = { asked: 4, cached: 2, failed: 1, promptTokens: 100, completionTokens: 8 };
    const rewards = { groups: [], judge };
    expect(await rewarderThat(async () => rewards).reward([], options)).toBe(rewards);
    await rewarderThat(async () => ({ groups: [], judge: null })).reward([], options);
    await scrape();
    expect(['calls', 'cached', 'failures'].map(one => value(`longhaul_judge_${one}_total`))).toEqual([4, 2, 1]);
    expect(value('longhaul_judge_tokens_total', { kind: 'prompt' })).toBe(100);
  });

  test('that refuses everything has failed; a rule has no judge to fail', async () => {
    const refuses = async () => Promise.reject(new Error('no key'));
    await expect(rewarderThat(refuses).reward([], options)).rejects.toThrow('no key');
    await expect(rewarderThat(refuses, false).reward([], options)).rejects.toThrow('no key');
    await scrape();
    expect(value('longhaul_judge_failures_total')).toBe(1);
  });
});

test('a whole run ends in the same bits, and its metrics are those of its log', async () => {
  const [plain, watched] = await Promise.all([smallRun(), smallRun()]);
  try {
    const engine = measuredEngine(watched.engine, meters);
    const store = measuredStore(watched.deps.store, meters);
    const deps = { ...watched.deps, engine, store, observer: metersObserver(meters) };
    // Of one folder, so that both runs read the same.
    const driven = await driveRun({ ...watched, deps, spec: plain.spec });
    expect(driven.final).toEqual((await driveRun(plain)).final);
    await scrape();
    const of = { run: 'run', stage: 'phase-2' };
    const last = JSON.parse(
      await watched.store.readText((await watched.store.find('store:runs/run/phase-2/1/steps/3/update.json'))!),
    );
    expect(value('longhaul_last_step', of)).toBe(3);
    expect(value('longhaul_reward_mean', of)).toBe(last.counts.meanReward);
    expect(value('longhaul_pass_ratio', of)).toBe(last.counts.passRate);
    expect(value('longhaul_steps_total', { ...of, outcome: 'trained' })).toBe(3);
    expect(value('longhaul_steps_total', { run: 'run', stage: 'warmup', outcome: 'trained' })).toBeGreaterThan(0);
    expect(value('longhaul_last_step_timestamp_seconds', of)).toBeLessThanOrEqual(Date.now() / 1000);
    expect(value('longhaul_step_part_seconds_count', { part: 'update' })).toBe(6);
    expect(value('longhaul_step_part_seconds_count', { part: 'warmup' })).toBeGreaterThan(0);
    const calls = (operation: string) => watched.engine.calls.filter(one => one === operation).length;
    for (const operation of ['generate', 'update', 'save'])
      expect(value('longhaul_engine_operation_seconds_count', { operation })).toBe(calls(operation));
  } finally {
    await Promise.all([plain.remove(), watched.remove()]);
  }
});
