import type { UpdateRecord } from '../../../activities/artifacts/formats.js';
import { PROVIDERS } from '../../../activities/engine/graph/index.js';
import { LANES, TILES } from '../../../activities/engine/model/index.js';
import { ensurePolicyLoaded, ensureSnapshot } from '../../../activities/policies/policy.js';
import { lastStep, logStep } from '../../../activities/policies/redo-log.js';
import { codeVersion } from '../../../activities/provenance/code-version.js';
import { differ, measureNumerics, type Numerics } from '../../../activities/provenance/numerics.js';
import { stepUri } from '../../../activities/store/index.js';
import { driveRun } from '../../support/drive.js';
import { realEngine } from '../../support/engine.js';
import { FakeEngine } from '../../support/fake-engine.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';

/** What an engine in a process of its own computes. */
async function measured(threads: number, memory?: number): Promise<Numerics> {
  const engine = realEngine({ threads, ...(memory !== undefined && { memory }) });
  try {
    return await measureNumerics(engine, 'cpu');
  } finally {
    await engine.close();
  }
}

test('an engine computes the same whatever the process, the threads and the memory', async () => {
  const one = await measured(1);
  expect(one).toEqual({
    provider: 'cpu',
    processor: expect.any(String),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  for (const other of [
    await measured(1),
    await measured(2),
    await measured(3),
    await measured(8),
    await measured(2, 1e6),
  ])
    expect(other).toEqual(one);
});

test('other steps, and another provider, are other numerics; what was not measured is not known to differ', async () => {
  const otherwise = new FakeEngine();
  otherwise.numerics = 'other';
  const one = await measureNumerics(new FakeEngine(), 'cpu');
  expect(differ(one, await measureNumerics(new FakeEngine(), 'cpu'))).toBe(false);
  expect(differ(one, await measureNumerics(otherwise, 'cpu'))).toBe(true);
  expect(differ(one, await measureNumerics(new FakeEngine(), 'cuda'))).toBe(true);
  expect(differ(undefined, one)).toBe(false);
  expect(differ(one, undefined)).toBe(false);
});

test.each<[string, () => { restore(): void }]>([
  ['of documents', () => jest.replaceProperty(TILES as unknown as number[], 1, 300)],
  ['of batches', () => jest.replaceProperty(LANES as { starting: number }, 'starting', 1000)],
  ['of models', () => jest.replaceProperty(PROVIDERS.cpu as { constantsFrom: number }, 'constantsFrom', 2 ** 20)],
])('other sums from a size on, %s, are other numerics', async (_, change) => {
  const before = await measureNumerics(new FakeEngine(), 'cpu');
  const { restore } = change();
  const after = await measureNumerics(new FakeEngine(), 'cpu');
  restore();
  expect(differ(before, after)).toBe(true);
  expect(differ(before, await measureNumerics(new FakeEngine(), 'cpu'))).toBe(false);
});

describe('a run that another engine goes on with', () => {
  const first: Numerics = { provider: 'cpu', processor: 'the old one', sha256: '1'.repeat(64) };
  const second: Numerics = { provider: 'cpu', processor: 'the new one', sha256: '2'.repeat(64) };
  let small: SmallRun;
  let record: UpdateRecord;
  beforeEach(async () => {
    small = await smallRun();
    small.deps.numerics = first;
    await driveRun(small);
    // One that is known by its log alone: every second step has a snapshot.
    const ref = await small.store.find(stepUri({ run: 'run', stage: 'phase-2', attempt: 1 }, 1, 'update.json'));
    record = JSON.parse(await small.store.readText(ref!)) as UpdateRecord;
  });
  afterEach(() => small.remove());

  /** Loads the policy on another engine, with the message of what it meets. */
  function loaded(numerics: Numerics, computes: string): Promise<string> {
    const engine = new FakeEngine();
    engine.numerics = computes;
    return ensurePolicyLoaded({ store: small.store, engine, numerics }, record.result, 'weights', unsupervised()).then(
      () => 'loaded',
      (error: Error) => error.message,
    );
  }

  test('says in its log by what numerics each step was made', async () => {
    expect(record.code).toEqual({ ...codeVersion(), numerics: first });
    expect((await lastStep(small.store, 'run'))?.record.code?.numerics).toEqual(first);
  });

  test('is told why a policy cannot be rebuilt, where the engine computes otherwise', async () => {
    const message = await loaded(second, 'other');
    expect(message).toContain('numerics 11111111 (cpu, the old one)');
    expect(message).toContain('numerics 22222222 (cpu, the new one)');
    expect(message).toContain('replay the phase');
  });

  test('is told of a fault where the engine is said to compute the same', async () => {
    expect(await loaded(first, 'other')).toContain('Equal inputs must give equal bits');
  });

  test('goes on where the steps that are redone come out the same, whatever was measured', async () => {
    expect(await loaded(second, '')).toBe('loaded');
  });

  test('goes on from a policy that has a snapshot', async () => {
    await ensureSnapshot({ store: small.store, engine: small.engine }, record.result, unsupervised());
    expect(await loaded(second, 'other')).toBe('loaded');
  });

  test('logs no step twice to other bits, and says which numerics the two have', async () => {
    const again = { ...record, result: { ...record.result, sha256: 'f'.repeat(64) } };
    await expect(logStep(small.store, { ...again, code: codeVersion(second) })).rejects.toThrow('numerics 22222222');
    await expect(logStep(small.store, { ...again, code: codeVersion(first) })).rejects.toThrow('Equal inputs');
  });
});
