/** Which rows a command line means, and what of it is refused. */
import { engineBench } from '../../../infra/bench/engine';
import { PEERS } from '../../../infra/bench/peers';
import { ROWS, type Row } from '../../../infra/bench/rows';
import { peersHere, selectRows } from '../../../infra/bench/selection';
import { loadSpec } from '../../../infra/specs/spec-files';
import { UserError } from '../../../infra/user-error';

const ids = (rows: { id: string }[]): string[] => rows.map(({ id }) => id);

describe('selectRows', () => {
  test('takes every row that can be run, and says what the others need', () => {
    const { rows, leftOut } = selectRows({});
    expect(ids(rows)).toEqual(ids(ROWS.filter(({ needs }) => needs === undefined)));
    expect(leftOut).toContainEqual({ id: 'smollm2-update', flag: '--smollm2 DIR' });
    expect(leftOut).toContainEqual({ id: 'long-65536', flag: '--long' });
    expect(leftOut).toContainEqual({ id: 'run-tiny', flag: '--against COMMIT' });
    expect(rows.length + leftOut.length).toBe(ROWS.length);
  });

  test('takes all with every flag given', () => {
    const { rows, leftOut } = selectRows({ smollm2: 'DIR', questions: 'DIR', against: 'main', long: true });
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
    const given = { rows: ['run-smollm2'], against: 'main', smollm2: 'DIR' };
    expect(() => selectRows(given)).toThrow('--questions DIR');
    expect(ids(selectRows({ ...given, questions: 'DIR' }).rows)).toEqual(['run-smollm2']);
  });
});

describe('peersHere', () => {
  const peersOf = (rows: readonly Row[]) => rows.flatMap(({ peers }) => peers.map(({ peer }) => peer));

  test('keeps all where the processor has what they need', () => {
    expect(peersHere(ROWS, () => true)).toEqual({ rows: ROWS, leftOut: [] });
  });

  test('leaves out, naming them, those that the processor is not for', () => {
    const { rows, leftOut } = peersHere(ROWS, () => false);
    expect(ids(rows)).toEqual(ids([...ROWS]));
    expect(peersOf(rows)).toContain('update');
    expect(peersOf(rows).filter(peer => peer.endsWith('-bf16'))).toEqual([]);
    expect(leftOut).toContainEqual({ peer: 'update-bf16', feature: 'bfloat16' });
    expect(new Set(leftOut.map(({ peer }) => peer)).size).toBe(leftOut.length);
  });
});

describe('the table of rows', () => {
  test('has whole runs whose settings the presets take', async () => {
    const runs = ROWS.flatMap(({ work }) => (work.kind === 'run' ? [work] : []));
    expect(runs.map(({ preset }) => preset)).toEqual(['tiny', 'smollm2-hotpotqa']);
    for (const { preset, set } of runs) await loadSpec(preset, set({ smollm2: '/model', questions: '/data' }), '/');
    const { spec } = await loadSpec(runs[1]!.preset, runs[1]!.set({ smollm2: '/model', questions: '/data' }), '/');
    expect(JSON.stringify(spec)).not.toMatch(/"(hotpotqa|2wikimultihopqa|musique)\.json"|presets/);
  });

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
    [['--rows', 'run-tiny'], /--against COMMIT/],
    [['--rows', 'grpo-512', '--against', 'no-such-commit'], /--against no-such-commit: is no commit/],
    [['--smollm'], /unknown option/],
    [['--rows', 'grpo-512', '--baseline', '/no/such/file'], /no such file/],
  ])('refuses %j before anything is measured', async (args, message) => {
    await expect(parse(...args)).rejects.toThrow(message);
  });
});
