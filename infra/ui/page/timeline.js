/** Activities over time, a line for each worker: what each did, and where another took over. */
import { seriesColour } from './chart.js';
import { duration, h, styled, svg } from './dom.js';

const WIDTH = 1140;
const LINE = 26;
const NAME = 220;
const HEAD = 20;

export function timeline({ spans, workers, left }) {
  const begin = Math.min(...spans.map(({ from }) => from));
  const end = Math.max(...spans.map(({ from, to }) => to ?? from));
  const across = time => NAME + ((time - begin) / Math.max(1, end - begin)) * (WIDTH - NAME - 10);
  const activities = [...new Set(spans.map(({ activity }) => activity))];
  const height = HEAD + workers.length * LINE + 6;
  return h(
    'div',
    {},
    h(
      'ul.legend',
      {},
      activities.map((activity, k) =>
        h('li', {}, styled(h('span.swatch', {}), { background: seriesColour(k) }), activity),
      ),
      h('li', {}, h('span.swatch.fault', {}), 'failed or tried again'),
    ),
    h(
      'div.wide',
      {},
      svg(
        'svg.timeline',
        {
          viewBox: `0 0 ${WIDTH} ${height}`,
          width: WIDTH,
          height,
          role: 'img',
          'aria-label': `Activities of ${workers.length} workers over ${duration((end - begin) / 1000)}`,
        },
        [0, 0.25, 0.5, 0.75, 1].map(share => {
          const time = begin + share * (end - begin);
          return [
            svg('line.tick', { x1: across(time), x2: across(time), y1: HEAD - 4, y2: height }),
            svg(
              'text.line',
              { x: across(time), y: 12, 'text-anchor': share === 1 ? 'end' : share === 0 ? 'start' : 'middle' },
              duration((time - begin) / 1000),
            ),
          ];
        }),
        workers.map((worker, row) =>
          svg(
            'text.line',
            { x: 0, y: HEAD + row * LINE + 16 },
            worker.length > 34 ? `${worker.slice(0, 33)}…` : worker,
          ),
        ),
        spans.map(span => {
          const row = Math.max(0, workers.indexOf(span.worker));
          const [from, to] = [across(span.from), across(span.to ?? end)];
          const rect = svg(
            `rect${span.failure === null ? '' : '.fault'}`,
            { x: from, y: HEAD + row * LINE + 4, width: Math.max(1, to - from), height: LINE - 8 },
            svg('title', {}, textOf(span)),
          );
          return styled(rect, { fill: seriesColour(activities.indexOf(span.activity)) });
        }),
      ),
    ),
    left > 0 && h('p.quiet', {}, `${left} more are left out.`),
  );
}

function textOf({ workflow, activity, worker, from, to, step, tries, outcome, failure }) {
  return [
    `${activity}${step === null ? '' : ` from step ${step}`} of ${workflow}`,
    to === null ? 'under way' : `${duration((to - from) / 1000)}, ${outcome}`,
    tries > 1 ? `try ${tries}` : null,
    failure,
    worker,
    new Date(from).toLocaleString(),
  ]
    .filter(Boolean)
    .join('\n');
}
