/** Who takes part in a row; nobody is started. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Field, participantsOf } from '../../../infra/bench/participants';
import { ROWS } from '../../../infra/bench/rows';

const row = (id: string) => ROWS.find(one => one.id === id)!;
const command = (program: readonly string[]) => [...program];

describe('participantsOf', () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
  });
  afterAll(() => rm(scratch, { recursive: true }));

  const namesOf = async (id: string, field: Partial<Field> = {}) => {
    const whole = { threads: 2, given: {}, runtimes: new Map(), against: null, scratch, ...field };
    return (await participantsOf(row(id), whole)).map(({ name }) => name);
  };
  const against = { commit: 'f98a1af', root: '/build' };

  test('is our side alone unless others were asked for', async () => {
    expect(await namesOf('train-4096')).toEqual(['ours']);
  });

  test("are the row's peers where what runs them is there, and the other build last", async () => {
    const peers = ['eager', 'eager-bf16'];
    expect(await namesOf('train-4096', { runtimes: new Map([['python', command]]) })).toEqual(['ours', ...peers]);
    expect(await namesOf('train-4096', { runtimes: new Map([['llama', command]]), against })).toEqual([
      'ours',
      'against',
    ]);
  });

  test('are both builds of a whole run', async () => {
    expect(await namesOf('run-tiny', { against })).toEqual(['ours', 'against']);
  });
});
