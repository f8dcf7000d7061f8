/** Which rows a command line means, and what of it is refused. */
import { engineBench } from '../../../infra/bench/engine';
import { PEERS, ROWS } from '../../../infra/bench/rows';
import { selectRows } from '../../../infra/bench/selection';
import { UserError } from '../../../infra/user-error';

const ids = (rows: { id: string }[]): string[] => rows.map(({ id }) => id);

describe('selectRows', () => {
  test('takes every row that can be run, and says what the others need', () => {
    const { rows, leftOut } = selectRows({});
    expect(ids(rows)).toEqual(ids(ROWS.filter(({ needs }) => needs === undefined)));
    expect(leftOut).toContainEqual({ id: 'smollm2-update', flag: '--smollm2 DIR' });
    expect(leftOut).toContainEqual({ id: 'long-65536', flag: '--long' });
    expect(rows.length + leftOut.length).toBe(ROWS.length);
  });

  test('takes all with every flag given', () => {
    const { rows, leftOut } = selectRows({ smollm2: 'DIR', long: true });
    expect(rows).toEqual(ROWS);
    expect(leftOut).toEqual([]);
  });

  test("keeps the table's order", () => {
    expect(ids(selectRows({ rows: ['train-4096', 'grpo-512'] }).rows)).toEqual(['grpo-512', 'train-4096']);
  });

  test('brings the row that a growth is measured to', () => {
    expect(ids(selectRows({ rows: ['memory-growth'], long: true }).rows)).toEqual(['long-65536', 'memory-growth']);
  });

  test('refuses a row that there is not, naming those there are', () => {
    expect(() => selectRows({ rows: ['grpo-512', 'fast'] })).toThrow(UserError);
    expect(() => selectRows({ rows: ['fast'] })).toThrow(/--rows fast: .*grpo-4096/);
  });

  test('refuses a row that was asked for without its flag', () => {
    expect(() => selectRows({ rows: ['smollm2-rollout'] })).toThrow('--smollm2 DIR');
    expect(() => selectRows({ rows: ['memory-growth'] })).toThrow('--long');
  });
});

describe('the table of rows', () => {
  test('has each id once, and refers to what there is', () => {
    expect(new Set(ids([...ROWS])).size).toBe(ROWS.length);
    for (const { growth, peers } of ROWS) {
      if (growth) expect(ids([...ROWS])).toContain(growth.of);
      for (const { peer } of peers) expect(PEERS).toHaveProperty(peer);
    }
  });
});

describe('the command', () => {
  const parse = (...args: string[]) =>
    engineBench()
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync(args, { from: 'user' });

  test.each([
    [['--repetitions', '0'], /--repetitions.*1 or more/],
    [['--threads', 'two'], /--threads.*1 or more/],
    [['--fail-above', '-1'], /--fail-above.*above 0/],
    [['--rows', 'fast'], /no such row/],
    [['--smollm'], /unknown option/],
    [['--rows', 'grpo-512', '--baseline', '/no/such/file'], /no such file/],
  ])('refuses %j before anything is measured', async (args, message) => {
    await expect(parse(...args)).rejects.toThrow(message);
  });
});
