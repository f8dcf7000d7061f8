/** One run: how it is now, what its policies score by length, and its curves. */
import { chart } from './chart.js';
import { ago, h, number, problems, state, toggle } from './dom.js';
import { heatMap } from './heat-map.js';

const LEAST_WIDTH = 330;
/** Kept from one refresh to the next. */
const view = { smooth: false, log: false };

/** Width of all charts together, as last seen, and what draws those on the page anew. */
let room = 0;
let redraw = () => {};
const resizing = new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width === room || contentRect.width === 0) return;
  room = contentRect.width;
  redraw();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraw());

export function showRun(data) {
  const { run, state: name, begun, latest, stages, steps, curves, scores, now } = data;
  return [
    h(
      'div.title',
      {},
      h('h1', {}, run),
      state(name),
      h('span.quiet', {}, 'begun ', ago(begun), ...(latest ? [', last step ', ago(latest)] : [])),
    ),
    ...problems([
      ...data.problems,
      ...(now.advice ? [now.advice] : []),
      ...now.failed.map(({ name, error }) => `${name}: ${error}`),
    ]),
    ...nowLine(now),
    stageList(run, stages, steps),
    h('h2', {}, 'Score by policy and length'),
    scores.length === 0
      ? h('p.quiet', {}, 'Nothing is evaluated yet.')
      : h(
          'p.quiet',
          {},
          'Percent, with 95 % intervals: policies down in the order of the run, evaluation sets across from the shortest prompts on.',
        ),
    ...(scores.length === 0 ? [] : [heatMap(scores)]),
    h('h2', {}, 'Curves'),
    ...(steps.length === 0 ? [h('p.quiet', {}, 'No step is logged yet.')] : curveBox(data, curves, stages)),
  ];
}
showRun.mayChange = ({ state }) => state !== 'done';

function nowLine({ note, stage, step, planned, tokensPerSecond, secondsPerStep }) {
  if (stage === null) return note ? [h('p.quiet', {}, note)] : [];
  const parts = [
    `Now ${stage}`,
    step === null ? null : `step ${number(step)} of ${number(planned)}`,
    tokensPerSecond === null ? null : `${number(Math.round(tokensPerSecond))} tokens/s`,
    secondsPerStep === null ? null : `${number(Number(secondsPerStep.toPrecision(2)))} s a step`,
  ];
  return [h('p.now', {}, parts.filter(Boolean).join(' · '))];
}

function stageList(run, stages, steps) {
  const link = (k, text) => h('a', { href: stepAddress(run, steps[k]) }, text);
  return h(
    'ol.stages',
    {},
    stages.map(({ name, attempt, band, planned, from, to }) =>
      h(
        'li',
        {},
        h('b', {}, name),
        attempt > 1 && h('small', {}, ` attempt ${attempt}`),
        h('span.quiet', {}, `${number(to - from + 1)}${planned === null ? '' : ` of ${number(planned)}`} steps`),
        band && h('span.quiet', {}, `${number(band.above)} – ${number(band.upTo)} tokens`),
        to >= from && name !== 'warmup' && h('span', {}, link(from - 1, 'first step'), ' ', link(to - 1, 'last step')),
      ),
    ),
  );
}

const stepAddress = (run, { stage, attempt, step }) => `/runs/${encodeURIComponent(run)}/${stage}/${attempt}/${step}`;

function curveBox({ run, steps }, curves, stages) {
  const grid = h('div.charts', {});
  let plots = [];
  const open = k => {
    location.href = stepAddress(run, steps[k]);
  };
  redraw = () => {
    for (const plot of plots) plot.destroy();
    const drawn = curves.map(curve => chart(curve, stages, { ...view, width: widthIn(room), open }));
    plots = drawn.map(({ plot }) => plot);
    grid.replaceChildren(...drawn.map(({ figure }) => figure));
  };
  resizing.disconnect();
  resizing.observe(grid);
  // At once where the width is known, so that a refresh moves nothing.
  if (room > 0) redraw();
  const set = key => value => {
    view[key] = value;
    redraw();
  };
  return [
    h(
      'p.tools',
      {},
      toggle('Smooth', view.smooth, set('smooth')),
      toggle('Log scale', view.log, set('log')),
      h('span.quiet', {}, 'By step, over all stages. Drag to zoom, double-click to zoom out, click to open the step.'),
    ),
    grid,
  ];
}

/** Of one chart in as many columns as fit. */
function widthIn(room) {
  const gap = 20;
  const columns = Math.max(1, Math.floor((room + gap) / (LEAST_WIDTH + gap)));
  return Math.floor((room - gap * (columns - 1)) / columns) - 26;
}
