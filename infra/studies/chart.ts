/** A study's report as a picture: how the variants learned, and what each scores by length of the document. */
import type { ReportedCurve, ReportedScore, StudyReport } from '../../activities/studies/index.js';

/** Told apart by whoever does not tell red from green (Okabe and Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#8a7a00'];
const SIZE = { width: 1040, height: 420 };
const PANEL = { top: 60, height: 290, width: 420 };
const LEFT = [60, 570] as const;

interface Scale {
  x(value: number): number;
  y(value: number): number;
}

export function chart({ study, variants, curves, scores }: StudyReport): string {
  const colourOf = (variant: string) => COLOURS[variants.indexOf(variant) % COLOURS.length]!;
  const finals = scores.filter(({ at }) => at === 'final');
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE.width}" height="${SIZE.height}" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="12">`,
    `<title>${safe(`${study}: rewards by step, and final scores by set`)}</title>`,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#fff"/>`,
    text(LEFT[0], 24, study, 'font-size="16" font-weight="bold"'),
    ...learning(curves, colourOf),
    ...byLength(finals, variants, colourOf),
    ...legend(variants, colourOf),
    '</svg>',
  ].join('\n')}\n`;
}

function learning(curves: readonly ReportedCurve[], colourOf: (variant: string) => string): string[] {
  const [left] = LEFT;
  const places = Math.max(1, ...curves.map(({ reward }) => reward.mean.length));
  const top = curves
    .flatMap(({ reward }) => reward.most)
    .reduce<number>((most, value) => Math.max(most, value ?? 0), 0.1);
  const scale = scaleOf(left, [1, Math.max(2, places)], [0, top]);
  return [
    text(left, 48, 'Reward by step: mean over seeds, and their range'),
    ...frame(left, scale, ticks(1, places), ticks(0, top), 'step'),
    ...curves.flatMap(({ variant, reward }) => {
      const points = reward.mean.flatMap((value, k) => (value === null ? [] : [[k + 1, value] as const]));
      const upper = reward.most.flatMap((value, k) => (value === null ? [] : [[k + 1, value] as const]));
      const lower = reward.least.flatMap((value, k) => (value === null ? [] : [[k + 1, value] as const])).reverse();
      const path = (list: readonly (readonly [number, number])[]) =>
        list.map(([x, y]) => `${scale.x(x).toFixed(1)},${scale.y(y).toFixed(1)}`).join(' ');
      return [
        `<polygon points="${path([...upper, ...lower])}" fill="${colourOf(variant)}" opacity="0.12"/>`,
        `<polyline points="${path(points)}" fill="none" stroke="${colourOf(variant)}" stroke-width="1.5"/>`,
      ];
    }),
  ];
}

/** Sets stand beside one another in order of their length, since equal steps are easier to read than tokens to scale. */
function byLength(
  scores: readonly ReportedScore[],
  variants: readonly string[],
  colourOf: (variant: string) => string,
): string[] {
  const left = LEFT[1];
  const sets = [...new Map(scores.map(one => [one.set, one.meanPromptTokens]))].sort(([, a], [, b]) => a - b);
  const scale = scaleOf(left, [-0.5, Math.max(0.5, sets.length - 0.5)], [0, 100]);
  const labels = sets.map(([set, tokens], k) => ({ at: k, label: `${set} (${Math.round(tokens)})` }));
  return [
    text(left, 48, 'Final scores by set (mean tokens), with 95 % intervals'),
    ...frame(left, scale, labels, ticks(0, 100), ''),
    ...scores.flatMap(({ variant, set, score, low, high }) => {
      const apart = (variants.indexOf(variant) - (variants.length - 1) / 2) * (0.6 / Math.max(1, variants.length));
      const x = scale.x(sets.findIndex(([name]) => name === set) + apart).toFixed(1);
      const colour = colourOf(variant);
      const [y, top, bottom] = [score, high, low].map(value => scale.y(value).toFixed(1));
      return [
        `<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" stroke="${colour}" stroke-width="1.5"/>`,
        `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`,
      ];
    }),
  ];
}

function legend(variants: readonly string[], colourOf: (variant: string) => string): string[] {
  let x: number = LEFT[0];
  return variants.flatMap(variant => {
    const at = x;
    x += 30 + 7 * variant.length;
    const y = SIZE.height - 14;
    return [`<circle cx="${at + 5}" cy="${y - 4}" r="5" fill="${colourOf(variant)}"/>`, text(at + 15, y, variant)];
  });
}

function scaleOf(left: number, [x0, x1]: [number, number], [y0, y1]: [number, number]): Scale {
  return {
    x: value => left + (PANEL.width * (value - x0)) / (x1 - x0),
    y: value => PANEL.top + PANEL.height * (1 - (value - y0) / (y1 - y0)),
  };
}

interface Tick {
  at: number;
  label: string;
}

function frame(left: number, scale: Scale, xs: Tick[], ys: Tick[], xTitle: string): string[] {
  const bottom = PANEL.top + PANEL.height;
  const right = left + PANEL.width;
  return [
    ...ys.flatMap(({ at, label }) => [
      `<line x1="${left}" x2="${right}" y1="${scale.y(at).toFixed(1)}" y2="${scale.y(at).toFixed(1)}" stroke="#ddd"/>`,
      text(left - 6, scale.y(at) + 4, label, 'text-anchor="end"'),
    ]),
    ...xs.map(({ at, label }) => text(scale.x(at), bottom + 18, label, 'text-anchor="middle"')),
    text(right, bottom + 34, xTitle, 'text-anchor="end"'),
    `<path d="M${left} ${PANEL.top} V${bottom} H${right}" fill="none" stroke="#444"/>`,
  ];
}

/** At most six round numbers. */
function ticks(from: number, to: number): Tick[] {
  const span = Math.max(to - from, 1e-9);
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const step = [1, 2, 5, 10].map(one => one * power).find(one => span / one <= 5.001) ?? span;
  const found: Tick[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to + step / 1000; at += step)
    found.push({ at, label: String(Number(at.toPrecision(6))) });
  return found;
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes && ` ${attributes}`}>${safe(words)}</text>`;
}

const safe = (words: string): string => words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
