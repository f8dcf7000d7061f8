/** Runs beside one another: curves laid over each other, where the specs differ, and the last policies' scores. */
import { seriesColour } from './chart.js';
import { curveGrid } from './curve-grid.js';
import { h, later, number, plural, problems, runAddress, signed, styled, table } from './dom.js';

/** Once for the page, however often its curves are drawn anew. */
let scored = null;

export function showCompare({ runs, curves, spec, missing, problems: found }) {
  scored ??= later(`/data/compare/differences${location.search}`, found => [
    ...problems(found.problems),
    ...scores(found),
  ]);
  return [
    h('h1', {}, `${runs.length} runs compared`),
    ...problems(found),
    h(
      'ul.legend',
      {},
      runs.map(({ run, steps }, k) =>
        h(
          'li',
          {},
          styled(h('span.swatch', {}), { background: seriesColour(k) }),
          h('a', { href: runAddress(run) }, run),
          h('small', {}, ` ${plural(steps, 'step')}`),
        ),
      ),
    ),
    h('h2', {}, 'Scores of the last policies'),
    scored,
    h('h2', {}, 'Specs'),
    spec.length === 0 ? h('p.quiet', {}, 'They say the same.') : specTable(runs, spec),
    h('h2', {}, 'Curves'),
    ...(curves.length === 0
      ? [h('p.quiet', {}, 'No step is logged yet.')]
      : curveGrid({ curves: curves.map(joined), stages: [], marks: [], times: [] }, null)),
    ...(missing > 0 ? [h('p.quiet', { role: 'status' }, `${plural(missing, 'step')} still to be read.`)] : []),
  ];
}
showCompare.mayChange = ({ runs, missing }) => missing > 0 || runs.some(({ isDone }) => !isDone);

/** All series over the same places: those that only another run has are gaps that a line passes over. */
function joined({ part, title, help, series }) {
  const x = [...new Set(series.flatMap(one => one.x))].sort((a, b) => a - b);
  return {
    ...{ part, title, help: series.length > 0 ? `${series[0].label}: ${help}` : help, x },
    series: series.map(({ run, colour, x: own, values }) => {
      const at = new Map(own.map((place, k) => [place, values[k]]));
      return { label: run, colour, read: true, band: false, values: x.map(place => at.get(place) ?? null) };
    }),
  };
}

function specTable(runs, spec) {
  return table(
    'plain',
    ['field', ...runs.map(({ run }) => run)],
    spec.map(({ path, values }) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, h('code', {}, path)),
        values.map(value => h('td', {}, value === null ? '–' : h('code', {}, value))),
      ),
    ),
  );
}

function scores({ rows, comparisons }) {
  if (rows.length === 0) return [h('p.quiet', {}, 'None of them is evaluated yet.')];
  const sets = [...new Set(rows.flatMap(row => row.sets.map(({ set }) => set)))];
  return [
    table(
      'plain',
      ['run', 'policy', ...sets],
      rows.map(({ run, policy, sets: own }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, run),
          h('td', {}, policy),
          sets.map(set => {
            const one = own.find(row => row.set === set);
            return h('td', {}, one ? [`${one.score.toFixed(1)} `, h('small', {}, interval(one))] : '–');
          }),
        ),
      ),
    ),
    ...(comparisons.length === 0 ? [] : [differenceTable(comparisons)]),
  ];
}

const interval = ({ low, high }) => `[${low.toFixed(1)}, ${high.toFixed(1)}]`;

/** Each difference with how sure it is. */
export function differenceTable(comparisons) {
  return table(
    'plain',
    ['difference', 'set', 'percent points', '95 % interval', 'p', ''],
    comparisons.map(({ row, baseline, benchmark, difference, low, high, p, withinNoise, kind, items }) =>
      h(
        'tr',
        {},
        h('td', {}, `${row} − ${baseline}`),
        h('td', {}, benchmark),
        h(`td.number.${withinNoise ? 'quiet' : difference > 0 ? 'gain' : 'loss'}`, {}, signed(difference)),
        h('td', {}, `[${signed(low)}, ${signed(high)}]`),
        h('td.number', {}, p < 0.001 ? '< 0.001' : number(Number(p.toPrecision(2)))),
        h(
          'td',
          {},
          withinNoise ? 'within the noise' : h('b', {}, 'beyond the noise'),
          h('small', {}, kind === 'paired' ? ` ${number(items)} items, paired` : ' unpaired: not the same items'),
        ),
      ),
    ),
  );
}
