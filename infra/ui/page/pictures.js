/** A curve to take away: as a picture, or as the numbers behind it. */
import { h, number, svg } from './dom.js';

const SIZE = { width: 900, height: 420, left: 70, right: 20, top: 60, bottom: 50 };
const TICKS = 5;

/** @param plot gives the chart that is on the page */
export function pictureMenu(curve, options, plot) {
  const name = curve.title.replace(/[^\w]+/g, '-').toLowerCase();
  const item = (label, save) =>
    h(
      'button.link',
      {
        type: 'button',
        onclick: () => {
          save();
          menu.open = false;
        },
      },
      label,
    );
  const menu = h(
    'details.menu',
    {},
    h('summary', { title: 'Save this curve', 'aria-label': `Save ${curve.title}` }, '⤓'),
    h(
      'div',
      {},
      item('PNG', () => savePng(curve, plot(), `${name}.png`)),
      item('SVG', () => saveText(svgText(curve, options), 'image/svg+xml', `${name}.svg`)),
      item('CSV', () => saveText(csvText(curve), 'text/csv', `${name}.csv`)),
    ),
  );
  return menu;
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const saveText = (text, type, name) => save(new Blob([text], { type }), name);

/** As it is on the page, with its title and on its ground. */
function savePng(curve, { ctx: { canvas } }, name) {
  const scale = devicePixelRatio;
  const head = 34 * scale;
  const picture = h('canvas', { width: canvas.width, height: canvas.height + head });
  const ctx = picture.getContext('2d');
  const style = getComputedStyle(document.documentElement);
  ctx.fillStyle = style.getPropertyValue('--panel');
  ctx.fillRect(0, 0, picture.width, picture.height);
  ctx.fillStyle = style.getPropertyValue('--ink');
  ctx.font = `600 ${14 * scale}px system-ui, sans-serif`;
  ctx.fillText(curve.title, 10 * scale, 22 * scale);
  ctx.drawImage(canvas, 0, head);
  picture.toBlob(blob => save(blob, name), 'image/png');
}

/** A line a place, a column a series. */
export function csvText({ x, series }) {
  const cell = text => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [['step', ...series.map(({ label }) => label)]];
  for (const [k, place] of x.entries()) lines.push([String(place), ...series.map(({ values }) => values[k] ?? '')]);
  return lines.map(line => `${line.map(one => cell(String(one))).join(',')}\n`).join('');
}

/** Drawn anew: lines that stay lines, for papers. */
export function svgText({ title, x, series, colours }, { log, stages }) {
  const lines = series.filter(({ band }) => !band);
  const scaled = value => (log ? Math.log10(value) : value);
  const isShown = value => value !== null && (!log || value > 0);
  const values = lines.flatMap(one => one.values.filter(isShown)).map(scaled);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const { width, height, left, right, top, bottom } = SIZE;
  const across = place => left + ((place - x[0]) / Math.max(1, x.at(-1) - x[0])) * (width - left - right);
  const down = value => height - bottom - ((value - low) / (high - low || 1)) * (height - top - bottom);
  const text = (at, words, more = {}) =>
    svg('text', { x: at[0], y: at[1], 'font-family': 'sans-serif', 'font-size': 13, fill: '#333', ...more }, words);
  const ticks = Array.from({ length: TICKS }, (_, k) => k / (TICKS - 1));
  const picture = svg(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height },
    svg('rect', { width, height, fill: '#fff' }),
    text([left, 24], title, { 'font-size': 17, 'font-weight': 600 }),
    ...ticks.flatMap(share => {
      const value = low + share * (high - low);
      const label = number(Number((log ? 10 ** value : value).toPrecision(3)));
      return [
        svg('line', { x1: left, x2: width - right, y1: down(value), y2: down(value), stroke: '#e5e5e0' }),
        text([left - 8, down(value) + 4], label, { 'text-anchor': 'end' }),
      ];
    }),
    ...ticks.map(share => {
      const place = Math.round(x[0] + share * (x.at(-1) - x[0]));
      return text([across(place), height - bottom + 20], number(place), { 'text-anchor': 'middle' });
    }),
    ...stages
      .filter(({ from, to }) => from <= to && from > x[0])
      .map(({ from }) =>
        svg('line', {
          x1: across(from),
          x2: across(from),
          y1: top,
          y2: height - bottom,
          stroke: '#bbb',
          'stroke-dasharray': '3 3',
        }),
      ),
    ...lines.map((one, k) => svg('path', { d: pathOf(one), fill: 'none', stroke: colours[k], 'stroke-width': 1.75 })),
    ...lines.map((one, k) => text([left + 150 * k, 46], one.label, { fill: colours[k] })),
    text([width - right, height - 12], 'step', { 'text-anchor': 'end' }),
  );
  function pathOf({ values, read }) {
    let pen = 'M';
    return values
      .flatMap((value, k) => {
        if (!isShown(value)) {
          if (!read) pen = 'M';
          return [];
        }
        const move = `${pen}${across(x[k]).toFixed(1)} ${down(scaled(value)).toFixed(1)}`;
        pen = 'L';
        return [move];
      })
      .join('');
  }
  return new XMLSerializer().serializeToString(picture);
}
