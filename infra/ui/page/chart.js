/** One curve: phases as bands, what happened as marks, smoothing and a log scale at will. */
import { h, number, styled } from './dom.js';
import { pictureMenu } from './pictures.js';
import { smoothed } from './smoothing.js';

const HEIGHT = 170;
const FONT = '11px system-ui, sans-serif';
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
/** Lines of several runs are told apart by more than their colour. */
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const seriesColour = k => colour(`--series-${(k % 8) + 1}`);

/** What a log scale can show. */
const positive = values => values.map(value => (value !== null && value > 0 ? value : null));

/**
 * @param curve title, help, x (places) and series: label, values, and `band`, `read` or `colour`
 * @param options `smooth`, `log`, `width`, `stages` and `marks` (by place), `xOf` (place to what is on the axis), `isTime`,
 *   `zoom` and `onzoom`, `open(place)`
 */
export function chart(curve, options) {
  const { title, help, x: places, series } = curve;
  const { smooth, log, width, stages, marks, xOf, isTime, zoom, onzoom, open } = options;
  const lines = series.filter(({ band }) => !band);
  const band = series.filter(one => one.band);
  const begins = stages.map(({ from }) => from);
  const scaled = values => (log ? positive(values) : values);
  const raw = lines.map(({ values }) => scaled(values));
  const drawn = smooth ? raw.map(values => smoothed(values, places, begins)) : raw;
  const x = places.map(xOf);
  const colours = lines.map((one, k) => seriesColour(one.colour ?? k));
  const edges = band.length === 2 ? band.map(({ values }) => scaled(values)) : [];
  const faint = smooth ? raw : [];

  const said = h('span.said', {});
  const box = h('div.plot', {});
  const figure = h(
    'figure.chart',
    {},
    h(
      'figcaption',
      {},
      h('b', {}, title),
      said,
      h('small', { title: help }, help),
      pictureMenu({ ...curve, colours }, options, () => plot),
    ),
    box,
  );

  const [first, last] = [x[firstTold(raw)] ?? x[0], x.at(-1)];
  const pad = isTime ? 0 : 0.5;
  const plot = new globalThis.uPlot(
    {
      width,
      height: HEIGHT,
      padding: [18, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, sync: { key: 'steps' }, drag: { x: true, y: false }, points: { size: 6 } },
      scales: {
        x: {
          time: isTime,
          range: (_, low, high) =>
            low === null || (low === x[0] && high === last)
              ? [first - pad, last > first ? last + pad : first + 1]
              : [low, high],
        },
        y: { distr: log ? 3 : 1 },
      },
      axes: [
        {
          stroke: colour('--quiet'),
          grid: { show: false },
          ticks: { show: false },
          font: FONT,
          size: isTime ? 36 : 24,
          ...(isTime ? {} : { incrs: STEPS }),
        },
        {
          stroke: colour('--quiet'),
          grid: { stroke: colour('--line'), width: 1 },
          ticks: { show: false },
          font: FONT,
          size: 52,
          values: (_, ticks) => ticks.map(tick => (tick === null ? '' : number(tick))),
        },
      ],
      series: [
        {},
        ...edges.map(() => ({ stroke: 'transparent', width: 0, points: { show: false }, spanGaps: true })),
        ...faint.map((_, k) => line(lines[k], colours[k], x, { width: 1, alpha: 0.25 })),
        ...drawn.map((_, k) => line(lines[k], colours[k], x, { width: 1.75, dash: dashOf(lines[k]) })),
      ],
      ...(edges.length === 2 ? { bands: [{ series: [2, 1], fill: `${colours[0]}26` }] } : {}),
      hooks: {
        drawClear: [plot => drawBands(plot, stages, xOf, pad)],
        draw: [plot => drawMarks(plot, marks, xOf)],
        setCursor: [({ cursor: { idx } }) => say(idx ?? x.length - 1)],
        setSelect: [
          ({ select }) =>
            select.width > 0 &&
            onzoom([plot.posToVal(select.left, 'x'), plot.posToVal(select.left + select.width, 'x')]),
        ],
      },
    },
    [x, ...edges, ...faint, ...drawn],
    box,
  );
  if (zoom) plot.setScale('x', { min: zoom[0], max: zoom[1] });
  plot.over.addEventListener('dblclick', () => onzoom(null));
  // A drag zooms; only a click without one opens the step.
  let pressedAt = null;
  plot.over.addEventListener('mousedown', ({ clientX }) => {
    pressedAt = clientX;
  });
  plot.over.addEventListener('click', ({ clientX }) => {
    const { idx } = plot.cursor;
    if (idx !== null && idx !== undefined && Math.abs(clientX - pressedAt) < 3) open?.(places[idx]);
  });

  function say(k) {
    const parts = lines.map(({ label, values }, s) =>
      styled(h('span', {}, `${lines.length > 1 ? `${label} ` : ''}${number(nearest(values, k))}`), {
        color: colours[s],
      }),
    );
    said.replaceChildren(...parts);
  }
  say(x.length - 1);
  return { figure, plot };
}

const line = ({ read, values }, stroke, x, style) => ({
  stroke,
  ...style,
  spanGaps: read === true,
  points: { show: x.length < 2 || values.filter(value => value !== null).length < 2 },
});

const dashOf = ({ colour: k }) => (k === undefined ? [] : DASHES[k % DASHES.length]);

/** A warm-up, which has no rewards, takes no room in the curves of rewards. */
function firstTold(columns) {
  const [some] = columns;
  return Math.max(
    0,
    (some ?? []).findIndex((_, k) => columns.some(values => values[k] !== null)),
  );
}

/** What is not read at a place is said as it was at the place before. */
function nearest(values, k) {
  for (let at = k; at >= 0; at--) if (values[at] !== null && values[at] !== undefined) return values[at];
  return null;
}

/** Every stage by its name, every second one on a darker ground. */
function drawBands(plot, stages, xOf, pad) {
  const { ctx, bbox } = plot;
  ctx.save();
  stages.forEach(({ name, from, to }, k) => {
    if (to < from) return;
    const [left, right] = [xOf(from) - pad, xOf(to) + pad].map(at =>
      Math.min(Math.max(plot.valToPos(at, 'x', true), bbox.left), bbox.left + bbox.width),
    );
    if (k % 2 === 1) {
      ctx.fillStyle = colour('--band');
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillStyle = colour('--quiet');
    ctx.textBaseline = 'bottom';
    const inset = 4 * devicePixelRatio;
    if (ctx.measureText(name).width < right - left) ctx.fillText(name, left, bbox.top - inset);
  });
  ctx.restore();
}

/** A line up the chart, and at its foot a triangle in the colour of its kind. */
function drawMarks(plot, marks, xOf) {
  const { ctx, bbox } = plot;
  const size = 5 * devicePixelRatio;
  ctx.save();
  for (const { place, kind } of marks) {
    const at = plot.valToPos(xOf(place), 'x', true);
    if (at < bbox.left || at > bbox.left + bbox.width) continue;
    const foot = bbox.top + bbox.height;
    ctx.strokeStyle = ctx.fillStyle = colour(`--mark-${kind}`);
    ctx.globalAlpha = 0.5;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, foot);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(at - size, foot);
    ctx.lineTo(at + size, foot);
    ctx.lineTo(at, foot - 1.6 * size);
    ctx.fill();
  }
  ctx.restore();
}
