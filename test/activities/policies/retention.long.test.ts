/** Snapshots within a stage: how many stay, and what becomes of those who want one that is gone or just going. */
import { cp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UnreadableSnapshotError } from '../../../activities/artifacts/formats.js';
import type { PolicyRef } from '../../../activities/contract/index.js';
import { EngineRequestError } from '../../../activities/engine/protocol/index.js';
import { createActivities } from '../../../activities/index.js';
import { openSnapshot, snapshotState } from '../../../activities/policies/checkpoint.js';
import { ensurePolicyLoaded } from '../../../activities/policies/policy.js';
import { policyOfRun } from '../../../activities/policies/policy-of-run.js';
import { type LogEntry, redoLog } from '../../../activities/policies/redo-log.js';
import {
  checkpointUri,
  claimStage,
  FolderStore,
  MissingArtifactError,
  storeSegments,
} from '../../../activities/store/index.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';

const runs: SmallRun[] = [];
afterEach(() => Promise.all(runs.splice(0).map(run => run.remove())));

async function runWith(checkpoints: Record<string, unknown>): Promise<SmallRun> {
  const run = await smallRun();
  runs.push(run);
  Object.assign(run.spec, { checkpoints });
  run.spec.warmup.batchSize = 4;
  for (const phase of run.spec.phases) phase.steps = 4;
  return run;
}

async function logOf({ store }: SmallRun): Promise<LogEntry[]> {
  const log: LogEntry[] = [];
  for await (const entry of redoLog(store, 'run')) log.push(entry);
  return log;
}

/** `<stage>/<step>` of each policy that has a snapshot, and `base`. */
async function snapshotsOf(small: SmallRun): Promise<string[]> {
  const log = await logOf(small);
  const names = await small.store.list('store:runs/run/checkpoints');
  return names
    .map(name => {
      const made = log.find(({ record }) => record.result.name === name);
      return made ? `${made.stage.stage}/${made.step}` : 'base';
    })
    .sort();
}

const pathOf = (small: SmallRun, uri: string) => join(small.store.root, ...storeSegments(uri));

describe('of a stage', () => {
  const ENDS = ['base', 'phase-1/4', 'phase-2/4', 'warmup/6'];

  test.each([
    [1, ENDS],
    [2, [...ENDS, 'phase-1/3', 'phase-2/3', 'warmup/4']],
    [3, [...ENDS, 'phase-1/2', 'phase-1/3', 'phase-2/2', 'phase-2/3', 'warmup/2', 'warmup/4']],
    ['all', [...ENDS, ...[1, 2].flatMap(k => [1, 2, 3].map(s => `phase-${k}/${s}`)), 'warmup/2', 'warmup/4']],
  ])('with keep %j the newest so many stay, and what it ended with', async (keep, expected) => {
    const small = await runWith({ everySteps: 1, keep });
    await driveRun(small);
    expect(await snapshotsOf(small)).toEqual([...expected].sort());
  });

  test('which are written and kept changes no policy, and nothing of one that is gone is left', async () => {
    const [few, many] = [await runWith({ everySteps: 1, keep: 1 }), await runWith({ everySteps: 3, keep: 'all' })];
    expect(await driveRun(few)).toEqual(await driveRun(many));
    const sums = await readdir(join(few.store.root, 'runs/run/checkpoints/.sums'));
    expect(sums.sort()).toEqual(await few.store.list('store:runs/run/checkpoints'));
    expect(await readdir(join(few.store.root, '.work'))).toEqual([]);
  });

  test('gone through again, what was removed is not made again, and nothing is computed', async () => {
    const small = await runWith({ everySteps: 1, keep: 1 });
    const first = await driveRun(small);
    small.engine.forget();
    const before = small.engine.calls.length;
    expect(await driveRun(small)).toEqual(first);
    expect(small.engine.calls.slice(before).filter(call => call !== 'status')).toEqual([]);
    expect(await snapshotsOf(small)).toEqual(ENDS);
  });

  test('an earlier version, which did not say how many to keep, has none removed', async () => {
    const small = await runWith({ everySteps: 1, keep: 'all' });
    const { final } = await driveRun(small);
    const before = await snapshotsOf(small);
    const stage = { run: 'run', stage: 'phase-2', attempt: 1 };
    await small.run(createActivities(small.deps).snapshot, { stage, policy: final });
    expect(await snapshotsOf(small)).toEqual(before);
  });
});

describe('removing', () => {
  /** A run with all its snapshots, and the call that would leave one in phase 2. */
  async function full() {
    const small = await runWith({ everySteps: 1, keep: 'all' });
    const { final } = await driveRun(small);
    const stage = { run: 'run', stage: 'phase-2', attempt: 1 };
    const prune = (attempt = 1) =>
      small.run(createActivities(small.deps).snapshot, { stage: { ...stage, attempt }, policy: final, keep: 1 });
    const ofPhase2 = async () => (await snapshotsOf(small)).filter(name => name.startsWith('phase-2'));
    return { small, final, prune, ofPhase2 };
  }

  test('spares what the log could not make again: of a step whose rollouts are gone, and all after it', async () => {
    const { small, prune, ofPhase2 } = await full();
    await rm(pathOf(small, 'store:runs/run/phase-2/1/steps/2/rollouts-0.jsonl'));
    await prune();
    expect(await ofPhase2()).toEqual(['phase-2/2', 'phase-2/3', 'phase-2/4']);
  });

  test('spares all where a step is missing from the log, or the policy that the stage began with from the store', async () => {
    const { small, prune, ofPhase2 } = await full();
    const entry = (await logOf(small)).find(({ stage, step }) => stage.stage === 'phase-2' && step === 1)!;
    const snapshot = pathOf(small, checkpointUri('run', entry.record.inputs.parent.name));
    await rename(snapshot, `${snapshot}.elsewhere`);
    await prune();
    expect(await ofPhase2()).toHaveLength(4);
    await rename(`${snapshot}.elsewhere`, snapshot);
    await rm(pathOf(small, 'store:runs/run/phase-2/1/steps/1/update.json'));
    const removed = entry.record.result.name;
    await prune();
    expect(await small.store.list('store:runs/run/checkpoints')).toContain(removed);
    expect(await ofPhase2()).toEqual(['phase-2/2', 'phase-2/3', 'phase-2/4']);
  });

  test('is for the current attempt alone', async () => {
    const { small, prune, ofPhase2 } = await full();
    await claimStage(small.store, 'store:runs/run/phase-2', { attempt: 2, overrides: {} });
    await expect(prune()).rejects.toMatchObject({ type: 'StaleAttemptError' });
    expect(await ofPhase2()).toHaveLength(4);
  });

  test('cut short, is taken up by the next try', async () => {
    const { small, prune, ofPhase2 } = await full();
    const { remove } = small.store;
    let left = 1;
    small.store.remove = async (...args) => {
      if (left-- === 0) throw new Error('the worker died');
      return remove.apply(small.store, args);
    };
    await expect(prune()).rejects.toThrow('the worker died');
    expect(await ofPhase2()).toEqual(['phase-2/2', 'phase-2/3', 'phase-2/4']);
    await prune();
    expect(await ofPhase2()).toEqual(['phase-2/4']);
    await prune();
    expect(await ofPhase2()).toEqual(['phase-2/4']);
  });
});

describe('a policy whose snapshot was removed', () => {
  test('is found by its name, and made again from the log, whichever of its uris is known', async () => {
    const small = await runWith({ everySteps: 1, keep: 1 });
    await driveRun(small);
    for (const { record } of await logOf(small)) {
      const { name, sha256 } = record.result;
      expect(await policyOfRun(small.store, 'run', name)).toMatchObject({ name, sha256 });
      for (const uri of [record.result.uri, checkpointUri('run', name)]) {
        small.engine.forget();
        await ensurePolicyLoaded(small.deps, { name, sha256, uri }, 'weights', unsupervised());
        expect(await small.engine.call('fingerprint', {})).toEqual({ sha256 });
      }
    }
  });
});

describe('a snapshot that is removed while it is wanted', () => {
  /** A run with a snapshot of phase 2's third policy, and a policy that has none but needs it. */
  async function withSnapshot() {
    const small = await runWith({ everySteps: 3, keep: 'all' });
    await driveRun(small);
    small.engine.forget();
    const log = await logOf(small);
    const of = (step: number) => log.find(e => e.stage.stage === 'phase-2' && e.step === step)!.record.result;
    const uri = checkpointUri('run', of(3).name);
    expect(await small.store.has(uri)).toBe(true);
    return { small, policy: of(3), uri };
  }

  async function expectLoaded(small: SmallRun, policy: PolicyRef, store = small.store): Promise<void> {
    await ensurePolicyLoaded({ engine: small.engine, store }, policy, 'as-trained', unsupervised());
    expect(await small.engine.call('fingerprint', {})).toEqual({ sha256: policy.sha256 });
    // Nothing was taken for damaged.
    const names = await store.list('store:runs/run/checkpoints');
    expect(names.filter(name => name.includes('damaged'))).toEqual([]);
  }

  /** A store in which the snapshot goes just before, or just after, the method's first use for it. */
  function losing(small: SmallRun, uri: string, method: 'localFolder' | 'recorded', when: 'before' | 'after') {
    const store = new FolderStore(small.store.root);
    const call = store[method].bind(store) as (uri: string) => Promise<never>;
    let lost = false;
    store[method] = async (wanted: string) => {
      const loses = wanted === uri && !lost;
      lost ||= loses;
      if (loses && when === 'before') await small.store.remove(uri);
      const result = await call(wanted);
      if (loses && when === 'after') await small.store.remove(uri);
      return result;
    };
    return store;
  }

  test.each([
    ['localFolder', 'before'],
    ['localFolder', 'after'],
    ['recorded', 'before'],
    ['recorded', 'after'],
  ] as const)('%s of it, %s', async (method, when) => {
    const { small, policy, uri } = await withSnapshot();
    await expectLoaded(small, policy, losing(small, uri, method, when));
  });

  test('from under the engine', async () => {
    const { small, policy, uri } = await withSnapshot();
    const { call } = small.engine;
    let lost = false;
    small.engine.call = async (operation, request, options) => {
      if (operation === 'load' && !lost) {
        lost = true;
        await small.store.remove(uri);
      }
      return call.call(small.engine, operation, request, options).catch((error: Error) => {
        throw new EngineRequestError(error.message, 'bad-model');
      }) as never;
    };
    await expectLoaded(small, policy);
    expect(lost).toBe(true);
  });

  test('is gone to who asks what it says, and missing to who opens it: neither damaged', async () => {
    const { small, policy, uri } = await withSnapshot();
    expect(await snapshotState(losing(small, uri, 'localFolder', 'before'), policy)).toBeNull();
    await expect(openSnapshot(small.store, policy)).rejects.toThrow(MissingArtifactError);
  });

  test('and made again meanwhile, is read as it is now', async () => {
    const { small, policy, uri } = await withSnapshot();
    const kept = join(small.folder, 'kept');
    await cp(pathOf(small, uri), kept, { recursive: true });
    const store = losing(small, uri, 'recorded', 'after');
    const { localFolder } = store;
    let opened = 0;
    store.localFolder = async wanted => {
      opened++;
      if (opened === 2) await rename(kept, pathOf(small, uri));
      return localFolder.call(store, wanted);
    };
    expect(await openSnapshot(store, policy)).toMatchObject({ folder: pathOf(small, uri), base: null });
    expect(opened).toBe(2);
  });
});

describe('a snapshot that the engine cannot see for a moment, as with its disk', () => {
  /** The engine's next load meets a folder in which the file is not. */
  async function hiding(file: string) {
    const small = await runWith({ everySteps: 1, keep: 'all' });
    const { final } = await driveRun(small);
    small.engine.forget();
    const path = join(pathOf(small, checkpointUri('run', final.name)), file);
    const { call } = small.engine;
    let hidden = false;
    small.engine.call = async (operation, request, options) => {
      const hides = operation === 'load' && !hidden;
      if (!hides) return call.call(small.engine, operation, request, options) as never;
      hidden = true;
      await rename(path, `${path}.away`);
      try {
        return (await call.call(small.engine, operation, request, options)) as never;
      } catch (error) {
        throw new EngineRequestError((error as Error).message, 'bad-model');
      } finally {
        await rename(`${path}.away`, path);
      }
    };
    return { small, final };
  }

  test.each(['optimizer.safetensors', 'model.safetensors'])('%s: fails, and is loaded the next time', async file => {
    const { small, final } = await hiding(file);
    const load = () => ensurePolicyLoaded(small.deps, final, 'as-trained', unsupervised());
    await expect(load()).rejects.toThrow(UnreadableSnapshotError);
    await expect(load()).resolves.toBeUndefined();
  });
});
