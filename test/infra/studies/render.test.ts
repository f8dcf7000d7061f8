import { costOf } from '../../../activities/studies/cost.js';
import type { StudyReport } from '../../../activities/studies/index.js';
import { differencesOf, hypothesesOf, scoresOf } from '../../../activities/studies/scores.js';
import { curvesOf, stagesOf } from '../../../activities/studies/training.js';
import { REPORT_FORMATS, renderReport } from '../../../infra/studies/render.js';
import { readCell } from '../../support/study-cells.js';

const answers = (right: number) => new Map(Array.from({ length: 20 }, (_, k) => [`q${k}`, k < right ? 100 : 0]));
const read = [1, 2].flatMap(seed => [
  readCell('full', seed, { base: answers(0), final: answers(15 + seed) }),
  readCell('a<b|c', seed, { final: answers(5 + seed) }),
]);
const variants = ['full', 'a<b|c'];

const REPORT: StudyReport = {
  study: 'trial',
  spec: { uri: 'store:studies/trial/specs/a.json', sha256: 'a' },
  seeds: [1, 2],
  variants,
  missing: ['trial.full.3'],
  hypotheses: hypothesesOf(read, [{ variant: 'full', above: 'a<b|c', on: 'set', at: 'final' }]),
  scores: scoresOf(read),
  differences: differencesOf(read, variants),
  stages: stagesOf(read, variants),
  curves: curvesOf(read, variants),
  cost: costOf(read.map(({ cell }) => cell)),
  cells: read.map(({ cell }) => cell),
};

const EMPTY: StudyReport = {
  ...REPORT,
  ...{ hypotheses: [], scores: [], differences: [], stages: [], curves: [], cells: [] },
  cost: { spent: 0, alone: 0, shared: [] },
};

test('as text: what is claimed first, with intervals, and where the numbers come from', () => {
  const text = renderReport(REPORT, 'text', 'store:studies/trial/reports/b.json');
  expect(text).toContain('trial: 2 variants, 2 seeds, 4 of 5 runs.');
  expect(text).toContain('Not in here, since they have not ended: trial.full.3.');
  expect(text).toMatch(/full \(final\) above a<b\|c \(final\) on set +shown +\+50\.0 \[\+\d+\.\d, \+\d+\.\d\] +2 +20/);
  expect(text).toMatch(/full +final +82\.5 \[\d+\.\d, \d+\.\d\]/);
  expect(text).toMatch(/a<b\|c +set +−50\.0 \[−/);
  expect(text).toMatch(/full +phase-1 +4 +0\.225 +0\.500 +1\.0e-3 +2\.000/);
  expect(text).toContain('store:studies/trial/reports/b.json');
  expect(text.split('\n').filter(line => /\s$/.test(line))).toEqual([]);
});

test('as Markdown: tables that stay tables, and the weights of each run', () => {
  const text = renderReport(REPORT, 'markdown', null);
  const rows = text.split('\n').filter(line => line.startsWith('|'));
  expect(text).toContain('a<b\\|c');
  expect(rows.every(row => row.endsWith('|'))).toBe(true);
  expect(text).toContain('| study.full.1 | `study.full.1 weights` |');
});

test('as JSON: everything', () => {
  expect(JSON.parse(renderReport(REPORT, 'json', null))).toEqual(JSON.parse(JSON.stringify(REPORT)));
});

test('as a picture: a curve for each variant, a point and an interval for each score, within the frame', () => {
  const svg = renderReport(REPORT, 'svg', null);
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg.match(/r="4"/g)).toHaveLength(2);
  expect(svg).toContain('a&lt;b|c');
  const ys = [...svg.matchAll(/c?y[12]?="([\d.-]+)"/g)].map(([, y]) => Number(y));
  expect(Math.min(...ys)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...ys)).toBeLessThanOrEqual(420);
  expect(svg).not.toContain('NaN');
});

test('as a picture of more steps than a call may have arguments', () => {
  const long = Array.from({ length: 200_000 }, (_, k) => (k % 10) / 4);
  const reward = { mean: long, least: long, most: long };
  const svg = renderReport({ ...REPORT, curves: [{ ...REPORT.curves[0]!, reward }] }, 'svg', null);
  expect(svg.match(/<polyline/g)).toHaveLength(1);
});

test.each(REPORT_FORMATS)('a study of which nothing has ended is shown as %s too', format => {
  const shown = renderReport(EMPTY, format, null);
  expect(shown).not.toMatch(/NaN|undefined|Infinity/);
});
