import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../../../activities/engine/process/host.js';
import { isOutOfMemory, MemoryBudget } from '../../../../activities/engine/process/memory-budget.js';
import { type Engine, EngineLostError, EngineRequestError } from '../../../../activities/engine/protocol/index.js';

describe('the budget', () => {
  test('is halved four times and no more', () => {
    const budget = new MemoryBudget(1600);
    expect([1, 2, 3, 4, 5].map(() => [budget.ranOut(), budget.current])).toEqual([
      [true, 800],
      [true, 400],
      [true, 200],
      [true, 100],
      [false, 100],
    ]);
  });

  test('stays after one death, after deaths at different work, and after work that went well', () => {
    const budget = new MemoryBudget(1600);
    expect(budget.died('update')).toBe(false);
    expect(budget.died('load')).toBe(false);
    expect(budget.died('update')).toBe(false);
    budget.finished('update');
    expect(budget.died('update')).toBe(false);
    expect(budget.died('update')).toBe(true);
    expect(budget.current).toBe(800);
  });
});

test.each([
  "Non-zero status code returned while running Gemm node. Name:'Gemm.14' Status Message: bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 1835008",
  'std::bad_alloc',
  'Array buffer allocation failed',
  'pthread_create failed, error code: 12 error msg: Cannot allocate memory',
])('%s', message => {
  expect(isOutOfMemory(new Error(message))).toBe(true);
  expect(isOutOfMemory(new Error('the loss is not finite'))).toBe(false);
});

/** Stands in for an engine on a machine where what it may keep does not fit: fails, as told, above a budget. */
const CHILD = `
process.on('message', ({ id, operation }) => {
  const memory = Number(process.env.LONGHAUL_ENGINE_MEMORY);
  const [fits, how] = process.env.TEST_MEMORY.split(' ');
  if (operation === 'status' || memory <= Number(fits)) process.send({ id, kind: 'result', result: memory });
  else if (how === 'message') process.send({ id, kind: 'error', name: 'Error', message: 'std::bad_alloc', code: 'out-of-memory' });
  else process.kill(process.pid, how);
});
process.on('disconnect', () => process.exit(0));`;

describe('the host', () => {
  let folder: string;
  let engine: Engine;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-memory-'));
    await writeFile(join(folder, 'child.js'), CHILD);
    engine = createEngine({ program: join(folder, 'child.js'), memory: 1024 });
  });
  afterEach(async () => {
    delete process.env.TEST_MEMORY;
    await engine.close();
    await rm(folder, { recursive: true });
  });
  /** How each of several tries ends. */
  const tries = async (count: number) => {
    const ends: unknown[] = [];
    for (let k = 0; k < count; k++) ends.push(await engine.call('fingerprint', {}).catch((error: Error) => error));
    return ends;
  };

  test('an allocation that failed is tried again in a new process with half the budget', async () => {
    process.env.TEST_MEMORY = '300 message';
    const [first, second, third] = await tries(3);
    expect(first).toBeInstanceOf(EngineLostError);
    expect((first as Error).message).toMatch(
      /ran out of memory during "fingerprint".*std::bad_alloc.*the next one has/s,
    );
    expect(second).toBeInstanceOf(EngineLostError);
    expect(third).toBe(256);
  });

  test('where less does not help, the failure is for good and says what would', async () => {
    process.env.TEST_MEMORY = '1 message';
    const ends = await tries(5);
    expect(ends.slice(0, 4).every(end => end instanceof EngineLostError)).toBe(true);
    expect(ends[4]).toBeInstanceOf(EngineRequestError);
    expect((ends[4] as Error).message).toMatch(/needs a machine with more/);
  });

  test.each(['SIGKILL', 'SIGABRT'])(
    'twice ended by %s at the same work, it tries with half the budget',
    async signal => {
      process.env.TEST_MEMORY = `600 ${signal}`;
      const [first, second, third] = await tries(3);
      expect((first as Error).message).not.toMatch(/want of memory/);
      expect((second as Error).message).toMatch(/perhaps for want of memory/);
      expect(third).toBe(512);
    },
  );
});
