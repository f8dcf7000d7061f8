/** Curves in as many columns as fit, with what is chosen for all of them. */
import { chart } from './chart.js';
import { choice, h, toggle } from './dom.js';
import { timeAt } from './smoothing.js';

const LEAST_WIDTH = 330;
const GAP = 20;
/** Kept from one refresh to the next. */
const view = { smooth: false, log: false, isTime: false, zoom: null };

/** Width of all charts together, as last seen, and what draws those on the page anew. */
let room = 0;
let redraw = () => {};
const resizing = new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width === room || contentRect.width === 0) return;
  room = contentRect.width;
  redraw();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraw());

/**
 * @param data curves, stages, marks, times (of places)
 * @param open called with the place that was chosen; null where a place is no one step
 * @param more elements beside the tools
 */
export function curveGrid({ curves, stages, marks, times }, open, more = []) {
  const box = h('div', {});
  let plots = [];
  const isTime = () => view.isTime && times.length > 1;
  const draw = () => {
    for (const plot of plots) plot.destroy();
    plots = [];
    const xOf = isTime() ? place => timeAt(times, place) / 1000 : place => place;
    const options = {
      ...{ smooth: view.smooth, log: view.log, isTime: isTime(), zoom: view.zoom },
      ...{ stages, marks, xOf, open, width: widthIn(room) },
      onzoom: zoom => {
        view.zoom = zoom;
        for (const plot of plots) plot.setScale('x', { min: zoom?.[0] ?? null, max: zoom?.[1] ?? null });
        if (zoom === null) draw();
      },
    };
    const parts = [...new Set(curves.map(({ part }) => part))];
    box.replaceChildren(
      ...parts.map(part => {
        const drawn = curves.filter(curve => curve.part === part).map(curve => chart(curve, options));
        plots.push(...drawn.map(({ plot }) => plot));
        return h(
          'section',
          { 'aria-label': part },
          h('h3', {}, part),
          h(
            'div.charts',
            {},
            drawn.map(({ figure }) => figure),
          ),
        );
      }),
    );
  };
  redraw = draw;
  resizing.disconnect();
  resizing.observe(box);
  // At once where the width is known, so that a refresh moves nothing.
  if (room > 0) draw();
  const set = key => value => {
    view[key] = value;
    if (key === 'isTime') view.zoom = null;
    draw();
  };
  return [
    h(
      'p.tools',
      {},
      toggle('Smooth', view.smooth, set('smooth')),
      toggle('Log scale', view.log, set('log')),
      times.length > 1 &&
        choice(
          [
            [false, 'By step'],
            [true, 'By time'],
          ],
          view.isTime,
          set('isTime'),
        ),
      more,
      h('span.quiet', {}, `Drag to zoom, double-click to zoom out${open ? ', click to open the step' : ''}.`),
    ),
    box,
  ];
}

/** Of one chart in as many columns as fit. */
function widthIn(room) {
  const columns = Math.max(1, Math.floor((room + GAP) / (LEAST_WIDTH + GAP)));
  return Math.floor((room - GAP * (columns - 1)) / columns) - 26;
}
