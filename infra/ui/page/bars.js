/** Histograms and intervals as plain elements: they read as tables, too. */
import { h, number, styled } from './dom.js';

/** @param bars label and count of each */
export function histogram(title, bars, unit) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return h(
    'figure.histogram',
    {},
    h('figcaption', {}, title),
    h(
      'ol.bars',
      {},
      bars.map(({ label, count }) =>
        h(
          'li',
          { title: `${label}: ${number(count)} ${unit}` },
          h('span.label', {}, label),
          styled(h('span.bar', {}), { '--share': `${(100 * count) / most}%` }),
          h('span.count', {}, count === 0 ? '' : number(count)),
        ),
      ),
    ),
  );
}

/** Mean rewards from 0 to 1 in ten bins. */
export const rewardBars = counts =>
  counts.map((count, k) => ({
    label: `${(k / counts.length).toFixed(1)} – ${((k + 1) / counts.length).toFixed(1)}`,
    count,
  }));

/** A score with its interval, on a line from 0 to 100. */
export function intervalBar({ score, low, high }) {
  const bar = h(
    'span.interval',
    { role: 'img', 'aria-label': `${score.toFixed(1)}, 95 % interval ${low.toFixed(1)} to ${high.toFixed(1)}` },
    h('span.range', {}),
    h('span.point', {}),
  );
  const at = value => `${Math.max(0, Math.min(100, value))}%`;
  return styled(bar, { '--low': at(low), '--high': at(high), '--score': at(score) });
}
