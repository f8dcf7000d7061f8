import { comparisonTable, remarks, resultTable } from '../../../infra/bench/report';
import type { RowResult } from '../../../infra/bench/result';
import { asMarkdown, asText, type Table } from '../../../infra/bench/table';
import { measurement, resultOf } from './results';

const MiB = 2 ** 20;

/** The lines as records by column. */
const records = ({ columns, lines }: Table): Record<string, string>[] =>
  lines.map(line => Object.fromEntries(columns.map((column, c) => [column, line[c]!])));

const table = (rows: Record<string, RowResult>) => records(resultTable(resultOf(rows)));

describe('resultTable', () => {
  test('gives medians, the ratio of times and of memories, and whether the bar is met', () => {
    const [line] = table({
      'grpo-4096': {
        ours: measurement([2, 1.9, 2.1], 300 * MiB),
        peers: { trl: measurement([46, 45, 47], 1024 * MiB) },
      },
    });
    expect(line).toMatchObject({
      row: 'grpo-4096',
      ours: '2.00 s',
      peer: 'TRL GRPOTrainer',
      time: '46.0 s',
      ratio: '23x',
      met: 'yes',
      'our peak': '300 MiB',
      'its peak': '1.00 GiB',
      'ours / its': '0.29x',
    });
  });

  test.each([
    ['too slow', [5], 300, 'no'],
    ['too much memory', [2], 400, 'no'],
    ['fast and small enough', [4.6], 341, 'yes'],
  ])('a bar of 10x and a third of the memory: %s', (_, seconds, peak, met) => {
    const [line] = table({
      'grpo-4096': { ours: measurement(seconds, peak * MiB), peers: { trl: measurement([46], 1024 * MiB) } },
    });
    expect(line!.met).toBe(met);
  });

  test('leaves a bar on memory open where memory is not known', () => {
    const unknown = { ours: measurement([1], null), peers: { trl: measurement([46], null) } };
    const lines = table({ 'grpo-4096': unknown, 'grpo-512': unknown }); // only the first has such a bar
    expect(lines.map(({ met }) => met)).toEqual(['—', 'yes']);
  });

  test('has a line for each peer, also one that cannot work here', () => {
    const lines = table({
      'train-256x4': { ours: measurement([1]), peers: { eager: measurement([1.2]), compile: 'needs a C++ compiler' } },
    });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ peer: 'PyTorch SDPA eager', ratio: '1.2x', met: 'yes' });
    expect(lines[1]).toMatchObject({ peer: 'torch.compile', time: 'needs a C++ compiler', ratio: '—', met: '—' });
  });

  test('shows a peer that computes something else, and by how much', () => {
    const lines = table({
      'smollm2-update': {
        ours: { ...measurement([1]), gradNorm: 14 },
        peers: {
          update: { ...measurement([2]), gradNorm: 14.001 },
          'update-bf16': { ...measurement([1.5]), gradNorm: 7 },
        },
      },
    });
    expect(lines.map(({ peer, ratio, met, computes }) => [peer, ratio, met, computes])).toEqual([
      ['PyTorch eager', '2x', 'yes', 'the same'],
      ['PyTorch eager, bfloat16', '1.5x', '—', 'gradient -50 %'],
    ]);
  });

  test('has a line for the other build', () => {
    const rows = {
      'grpo-512': { ours: measurement([2], 300 * MiB), peers: { against: measurement([3], 600 * MiB) } },
      'run-tiny': {
        ours: { ...measurement([200]), weights: 'a'.repeat(64) },
        peers: { against: { ...measurement([220]), weights: 'b'.repeat(64) } },
      },
    };
    const result = { ...resultOf(rows), against: 'f98a1af' };
    const lines = records(resultTable(result));
    expect(lines[0]).toMatchObject({ peer: 'build of f98a1af', ratio: '1.5x', 'ours / its': '0.5x', computes: '—' });
    expect(lines[1]).toMatchObject({ peer: 'build of f98a1af', ratio: '1.1x', computes: 'other weights' });
    expect(remarks(result)).toContain('run-tiny: against computes other weights: bbbbbbbb…, ours aaaaaaaa…');
  });

  test('says where a row failed', () => {
    expect(table({ 'grpo-512': { peers: {}, failure: 'out of memory\nstack' } })[0]!.ours).toBe(
      'failed: out of memory',
    );
  });

  test('holds the long rows against their limits', () => {
    const rows = (long: number, short: number) =>
      table({
        'long-65536': { ours: measurement([100], long * 1024 * MiB), peers: {} },
        'memory-growth': { ours: measurement([10], short * 1024 * MiB), peers: {} },
      }).map(({ met }) => met);
    expect(rows(7.5, 1)).toEqual(['yes', 'yes: 7.5x']);
    expect(rows(8.1, 0.9)).toEqual(['no', 'no: 9x']);
  });

  test('leaves out the columns that nothing stands in', () => {
    const { columns } = resultTable(resultOf({ 'grpo-512': { ours: measurement([1, 1]), peers: {} } }));
    expect(columns).toEqual(['row', 'work', 'ours', '±', 'our peak']);
  });
});

test('comparisonTable tells changes from noise', () => {
  const changes = [
    { id: 'a', ratio: 1.304, noise: 0.05, verdict: 'slower' as const, memory: 2 },
    { id: 'b', ratio: 1.02, noise: 0.1, verdict: 'same' as const, memory: null },
  ];
  expect(comparisonTable(changes).lines).toEqual([
    ['a', '1.3x', '5 %', 'SLOWER', '2x'],
    ['b', '1.02x', '10 %', 'within noise', '—'],
  ]);
});

test('remarks name what disturbed a measurement', () => {
  const quiet = { ours: measurement([1]), peers: { trl: measurement([1]) } };
  expect(remarks(resultOf({ 'grpo-512': quiet }))).toHaveLength(2);
  const restless = { ...quiet, peers: { trl: { ...measurement([1]), idleLoad: 0.93 } } };
  expect(remarks(resultOf({ 'grpo-512': restless })).slice(2)).toEqual([
    "grpo-512: trl kept 93 % of a core busy while it was another's turn",
  ]);
  const crowded = { ...quiet, ours: { ...measurement([1]), foreignLoad: 1.2 } };
  expect(remarks(resultOf({ 'grpo-512': crowded })).slice(2)).toEqual([
    'grpo-512: DISTURBED: other programs kept 120 % of a core busy during the turns of ours',
  ]);
});

describe('printing', () => {
  const small: Table = {
    columns: ['row', 'x'],
    lines: [
      ['a', '1|2'],
      ['longer', '3'],
    ],
  };

  test('as text, columns are aligned', () => {
    expect(asText(small)).toBe('row     x\na       1|2\nlonger  3');
  });

  test('as Markdown, what would end a cell is escaped', () => {
    expect(asMarkdown(small)).toBe('| row | x |\n|---|---|\n| a | 1\\|2 |\n| longer | 3 |');
  });
});
