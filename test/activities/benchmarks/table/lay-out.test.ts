import type { ItemsSummary } from '../../../../activities/benchmarks/results.js';
import { csvField } from '../../../../activities/benchmarks/table/csv.js';
import { renderTable, TABLE_FORMATS } from '../../../../activities/benchmarks/table/formats.js';
import { layOut } from '../../../../activities/benchmarks/table/lay-out.js';
import type { TableInput, TableRow } from '../../../../activities/benchmarks/table/shown-table.js';
import type { Comparison } from '../../../../activities/contract/index.js';

const cell = (score: number, items: number, more: Partial<ItemsSummary> = {}): ItemsSummary => ({
  score,
  low: score - 6,
  high: score + 8,
  items,
  unscored: 0,
  meanAt: 1,
  passAt: {},
  official: {},
  ...more,
});
const at = (score: number) => ({ score, low: score - 1, high: score + 1 });

const comparison = (row: string, benchmark: Comparison['benchmark'], difference: number, withinNoise: boolean) =>
  ({
    row,
    baseline: 'base',
    benchmark,
    metric: 'reward',
    kind: row === 'paper' ? 'unpaired' : 'paired',
    items: 200,
    difference,
    low: difference - 5,
    high: difference + 5,
    p: withinNoise ? 0.4 : 0.01,
    withinNoise,
  }) as const;

const ROWS: TableRow[] = [
  { label: 'paper', kind: 'published', cells: { hotpotqa: cell(90, 200), frames: cell(70, 824) }, mean: 80.1 },
  {
    label: 'base',
    kind: 'measured',
    cells: { hotpotqa: cell(50, 200, { official: { f1: at(55.5), em: at(40) } }), frames: cell(40, 824) },
  },
  {
    label: 'ours',
    kind: 'measured',
    cells: {
      hotpotqa: cell(60.25, 198, {
        unscored: 2,
        meanAt: 4,
        passAt: { 4: at(81) },
        official: { f1: at(65), em: at(45) },
      }),
      frames: cell(39, 824),
    },
  },
];
const INPUT: TableInput = {
  rows: ROWS,
  metric: 'reward',
  baseline: 'base',
  comparisons: [
    comparison('paper', 'hotpotqa', 40, false),
    comparison('ours', 'hotpotqa', 10.25, false),
    comparison('ours', 'frames', -1, true),
    comparison('ours', 'mean', -4.6, false),
  ],
};

describe('the table', () => {
  test('as text', () => {
    expect(renderTable(INPUT, 'text').split('\n')).toEqual([
      'max(rule, judge), % [95 % interval]',
      '',
      '                 Frames           HotpotQA               mean',
      '                 n=824',
      'paper †          70.0 [64, 78]    90.0 [84, 98] + n=200  80.1 [76, 86] (2 of 7)',
      'base (baseline)  40.0 [34, 48]    50.0 [44, 58] n=200    45.0 [41, 51] (2 of 7)',
      'ours             39.0 [33, 47] ~  60.3 [54, 68] + n=198  49.6 [45, 55] (2 of 7) -',
      '',
      '† published in arXiv 2505.17667; its intervals are computed from the numbers of items.',
      '+ and -: above and below base by more than noise (95 %); ~: within it.',
      'Compared as independent samples, the items being others or not known: the published rows. That finds less than the same items would.',
      'base: mean over 2 benchmarks of 7.',
      'base: HotpotQA f1 55.5, em 40.0.',
      'ours: mean over 2 benchmarks of 7.',
      'ours: HotpotQA mean@4, pass@4 81.0, f1 65.0, em 45.0, 2 of 200 items unscored.',
      '',
    ]);
  });

  test('as Markdown: the best that was measured is bold', () => {
    expect(renderTable(INPUT, 'markdown').split('\n').slice(0, 7)).toEqual([
      '| max(rule, judge), % [95 % interval] | Frames (n=824) | HotpotQA | mean |',
      '| --- | ---: | ---: | ---: |',
      '| paper † | 70.0 [64.0, 78.0] | 90.0 [84.0, 98.0] + n=200 | 80.1 [75.8, 85.7] (2 of 7) |',
      '| base (baseline) | **40.0** [34.0, 48.0] | 50.0 [44.0, 58.0] n=200 | 45.0 [40.8, 50.7] (2 of 7) |',
      '| ours | 39.0 [33.0, 47.0] \\~ | **60.3** [54.3, 68.3] + n=198 | **49.6** [45.4, 55.3] (2 of 7) - |',
      '',
      '- † published in arXiv 2505.17667; its intervals are computed from the numbers of items.',
    ]);
  });

  test('as CSV: a line for each score', () => {
    expect(renderTable(INPUT, 'csv').split('\r\n')).toEqual([
      'label,kind,benchmark,metric,score,low,high,items,unscored,mean_at,pass@4,official_em,official_f1,official_rouge-l,' +
        'official_accuracy,baseline,comparison,difference,difference_low,difference_high,p,within_noise',
      'paper,published,frames,reward,70,64,78,824,0,1,,,,,,,,,,,,',
      'paper,published,hotpotqa,reward,90,84,98,200,0,1,,,,,,base,unpaired,40,35,45,0.01,false',
      'paper,published,mean of 2,,80.1,75.757359,85.656854,,,,,,,,,,,,,,,',
      'base,measured,frames,reward,40,34,48,824,0,1,,,,,,,,,,,,',
      'base,measured,hotpotqa,reward,50,44,58,200,0,1,,40,55.5,,,,,,,,,',
      'base,measured,mean of 2,,45,40.757359,50.656854,,,,,,,,,,,,,,,',
      'ours,measured,frames,reward,39,33,47,824,0,1,,,,,,base,paired,-1,-6,4,0.4,true',
      'ours,measured,hotpotqa,reward,60.25,54.25,68.25,198,2,4,81,45,65,,,base,paired,10.25,5.25,15.25,0.01,false',
      'ours,measured,mean of 2,,49.625,45.382359,55.281854,,,,,,,,,base,paired,-4.6,-9.6,0.4,0.01,false',
      '',
    ]);
  });

  test('as JSON: all that the others are made of', () => {
    expect(JSON.parse(renderTable(INPUT, 'json'))).toEqual(layOut(INPUT));
    expect(TABLE_FORMATS).toEqual(['text', 'markdown', 'csv', 'json']);
  });

  test('official metrics: without published rows, and what has none is marked and not in the mean', () => {
    const table = layOut({ ...INPUT, metric: 'official' });
    expect(table.rows.map(row => row.label)).toEqual(['base', 'ours']);
    expect(table.rows[1]!.cells).toMatchObject([
      { metric: 'reward', score: 39 },
      { metric: 'f1', score: 65, low: 64, best: true },
    ]);
    expect(table.rows[1]!.mean).toBeNull();
    expect(renderTable({ ...INPUT, metric: 'official' }, 'text')).toMatch(
      /n=824 +f1\n.*\nours +39.0 \[33, 47\] ‡ +65.0/,
    );
    expect(table.notes.join('\n')).toMatch(/Published rows \(1\).*left out[\s\S]*‡ Frames has no official metric/);
  });

  test('a mean over other benchmarks than the baseline’s is not held against it', () => {
    const less: TableRow = { ...ROWS[2]!, cells: { ...ROWS[2]!.cells, musique: cell(20, 200) } };
    const { rows } = layOut({ ...INPUT, rows: [ROWS[1]!, less] });
    expect(rows[1]!.mean).toMatchObject({ of: 3, comparison: null, best: false });
    expect(rows[1]!.cells.map(shown => shown?.comparison?.difference)).toEqual([-1, 10.25, undefined]);
  });

  test('two rows of one name and a baseline that is none are refused', () => {
    expect(() => layOut({ ...INPUT, rows: [ROWS[1]!, ROWS[1]!] })).toThrow(/"base" twice/);
    expect(() => layOut({ ...INPUT, baseline: 'other' })).toThrow(/baseline: .*"other"/);
  });

  test('labels can end no cell, start no formula and command no terminal', () => {
    const label = '=1+1|"a",b\n\u001b[31m*c*';
    const rows: TableRow[] = [{ ...ROWS[1]!, label }];
    const input = { ...INPUT, rows, baseline: null, comparisons: [] };
    expect(renderTable(input, 'csv')).toContain('\r\n"\'=1+1|""a"",b\n\u001b[31m*c*",measured,frames');
    expect(renderTable(input, 'markdown')).toContain('\n| =1+1\\|"a",b \\[31m\\*c\\* | 40.0');
    expect(renderTable(input, 'text')).toContain('\n=1+1|"a",b\ufffd\ufffd[31m*c*  40.0');
  });

  test.each([
    ['plain', 'plain'],
    ['-1', "'-1"],
    ['@x', "'@x"],
    ['+x', "'+x"],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a\r\nb', '"a\r\nb"'],
  ])('CSV field %j', (text, field) => expect(csvField(text)).toBe(field));
});
