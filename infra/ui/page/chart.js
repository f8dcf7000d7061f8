/** One curve over all steps of a run: phases as bands, smoothing and a log scale at will. */
import { h, number } from './dom.js';

const HEIGHT = 170;
/** Of an exponential moving average: how much of the past stays at each step. */
const SMOOTHING = 0.8;
const SERIES_COLOURS = ['--series-1', '--series-2', '--series-3'];

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * An exponential moving average that begins unbiased, and anew with each stage; gaps stay gaps.
 * @param begins 1-based places of the stages' first steps
 */
export function smoothed(values, begins) {
  let sum = 0;
  let weight = 0;
  return values.map((value, k) => {
    if (begins.includes(k + 1)) [sum, weight] = [0, 0];
    if (value === null) return null;
    sum = SMOOTHING * sum + (1 - SMOOTHING) * value;
    weight = SMOOTHING * weight + (1 - SMOOTHING);
    return sum / weight;
  });
}

/** What a log scale can show. */
const positive = values => values.map(value => (value !== null && value > 0 ? value : null));

/**
 * @param curve title, help and series, a value a step
 * @param stages with `from` and `to`, 1-based places of their steps
 * @param options `smooth`, `log`, and `open(k)`: called when the step at place k (from 0) is chosen
 */
export function chart({ title, help, series }, stages, { smooth, log, width, open }) {
  const said = h('span.said', {});
  const box = h('div.plot', {});
  const figure = h('figure.chart', {}, h('figcaption', {}, h('b', {}, title), said, h('small', {}, help)), box);
  const raw = series.map(({ values }) => (log ? positive(values) : values));
  const lines = smooth
    ? raw.map(values =>
        smoothed(
          values,
          stages.map(({ from }) => from),
        ),
      )
    : raw;
  const x = raw[0].map((_, k) => k + 1);
  // A warm-up, which has no rewards, takes no room in the curves of rewards.
  const first =
    1 +
    Math.max(
      0,
      x.findIndex((_, k) => raw.some(values => values[k] !== null)),
    );
  const colours = SERIES_COLOURS.map(colour);

  const plot = new globalThis.uPlot(
    {
      width,
      height: HEIGHT,
      padding: [18, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, sync: { key: 'steps' }, drag: { x: true, y: false }, points: { size: 6 } },
      scales: {
        x: {
          time: false,
          range: (_, low, high) =>
            low === null || low === x[0] ? [first - 0.5, Math.max(first + 1, x.length + 0.5)] : [low, high],
        },
        y: { distr: log ? 3 : 1 },
      },
      axes: [
        {
          stroke: colour('--quiet'),
          grid: { show: false },
          ticks: { show: false },
          font: FONT,
          size: 24,
          incrs: STEPS,
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
        ...(smooth ? raw.map((_, k) => ({ stroke: colours[k], width: 1, alpha: 0.25, points: { show: false } })) : []),
        ...lines.map((_, k) => ({ stroke: colours[k], width: 1.75, points: { show: x.length < 2 } })),
      ],
      hooks: {
        drawClear: [plot => drawBands(plot, stages)],
        setCursor: [({ cursor: { idx } }) => say(idx ?? x.length - 1)],
      },
    },
    [x, ...(smooth ? raw : []), ...lines],
    box,
  );
  // A drag zooms; only a click without one opens the step.
  let pressedAt = null;
  plot.over.addEventListener('mousedown', ({ clientX }) => {
    pressedAt = clientX;
  });
  plot.over.addEventListener('click', ({ clientX }) => {
    const { idx } = plot.cursor;
    if (idx !== null && idx !== undefined && Math.abs(clientX - pressedAt) < 3) open(idx);
  });

  function say(k) {
    const parts = series.map(({ label, values }, s) => {
      const value = h('span', {}, `${series.length > 1 ? `${label} ` : ''}${number(values[k])}`);
      value.style.color = colours[s];
      return value;
    });
    said.replaceChildren(...parts);
  }
  say(x.length - 1);
  return { figure, plot };
}

const FONT = '11px system-ui, sans-serif';
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

/** Every stage by its name, every second one on a darker ground. */
function drawBands(plot, stages) {
  const { ctx, bbox } = plot;
  ctx.save();
  stages.forEach(({ name, from, to }, k) => {
    if (to < from) return;
    const [left, right] = [from - 0.5, to + 0.5].map(at =>
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
