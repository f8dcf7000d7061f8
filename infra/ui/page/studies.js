/** Studies: variants over seeds, what becomes of each hypothesis, and how they learned. */
import { seriesColour } from './chart.js';
import { curveGrid } from './curve-grid.js';
import { h, number, problems, runAddress, signed, styled, table } from './dom.js';
import { scoreTable } from './score-table.js';

export function showStudies({ studies, problems: found }) {
  return [
    h('h1', {}, 'Studies'),
    ...problems(found),
    studies.length === 0
      ? h('p', {}, 'The store has no study yet. To begin one: ', h('code', {}, 'npx longhaul study --help'))
      : table(
          'plain',
          ['study', 'variants', 'seeds', 'hypotheses', 'runs that have ended'],
          studies.map(({ name, variants, seeds, hypotheses, ended, runs }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, h('a', { href: `/studies/${encodeURIComponent(name)}` }, name)),
              [variants, seeds, hypotheses].map(count => h('td', {}, number(count))),
              h('td', {}, `${number(ended)} of ${number(runs)}`),
            ),
          ),
        ),
  ];
}
showStudies.mayChange = () => true;

export function showStudy({ name, variants, summary, missing, hypotheses, scores, curves, tables, runs }) {
  return [
    h('h1', {}, name),
    ...summary.map(line => h('p', {}, line)),
    h('h2', {}, 'Hypotheses'),
    h('p.quiet', {}, tables[0].note),
    hypotheses.length === 0 ? h('p.quiet', {}, tables[0].none) : hypothesisTable(hypotheses),
    h('h2', {}, 'Scores'),
    h('p.quiet', {}, tables[1].note),
    scores.length === 0 ? h('p.quiet', {}, tables[1].none) : scoreTable(scores.map(scored)),
    ...(curves.length === 0 ? [] : learning(variants, curves)),
    ...tables.slice(2).flatMap(plainTable),
    h('h2', {}, 'Runs'),
    runs.length === 0 ? h('p.quiet', {}, 'None has ended.') : runTable(runs),
    ...(missing.length === 0
      ? []
      : [h('p', {}, 'Not ended: ', ...missing.flatMap((run, k) => [k > 0 && ', ', linkTo(run)]))]),
  ];
}
showStudy.mayChange = ({ missing }) => missing.length > 0;

const VERDICTS = { shown: 'good', refuted: 'bad', open: 'plain' };

function hypothesisTable(hypotheses) {
  return table(
    'plain',
    ['claim', 'found', 'difference', 'seeds', 'questions'],
    hypotheses.map(({ claim, verdict, reason, difference, low, high, seeds, items }) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, claim),
        h('td', {}, h(`span.tag.${VERDICTS[verdict]}`, {}, verdict), reason && h('small', {}, ` ${reason}`)),
        h('td', {}, seeds.length === 0 ? '–' : `${signed(difference)} [${signed(low)}, ${signed(high)}]`),
        h('td', {}, number(seeds.length)),
        h('td', {}, number(items)),
      ),
    ),
  );
}

const scored = ({ variant, at, seeds, ...row }) => ({ ...row, policy: `${variant}, ${at}` });

/** Mean reward of each variant, over all its phases in a row. */
function learning(variants, curves) {
  const places = Math.max(...curves.map(({ values }) => values.length));
  const x = Array.from({ length: places }, (_, k) => k + 1);
  const series = curves.map(({ variant, values }) => ({
    ...{ label: variant, colour: variants.indexOf(variant), read: true, band: false },
    values: x.map((_, k) => values[k] ?? null),
  }));
  const reward = {
    part: 'Training',
    title: 'Reward',
    help: 'mean of all responses of a step and all seeds',
    x,
    series,
  };
  return [
    h('h2', {}, 'Curves'),
    h(
      'ul.legend',
      {},
      curves.map(({ variant }) =>
        h('li', {}, styled(h('span.swatch', {}), { background: seriesColour(variants.indexOf(variant)) }), variant),
      ),
    ),
    ...curveGrid({ curves: [reward], stages: [], marks: [], times: [] }, null),
  ];
}

function plainTable({ title, note, head, rows, none }) {
  return [
    h('h2', {}, title),
    note && h('p.quiet', {}, note),
    rows.length === 0
      ? h('p.quiet', {}, none)
      : table(
          'plain',
          head,
          rows.map(([first, ...cells]) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, first),
              cells.map(cell => h('td', {}, cell)),
            ),
          ),
        ),
  ].filter(Boolean);
}

function runTable(runs) {
  return table(
    'plain',
    ['run', 'variant', 'seed', 'SHA-256 of the final weights'],
    runs.map(({ run, variant, seed, sha256 }) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, linkTo(run)),
        h('td', {}, variant),
        h('td', {}, number(seed)),
        h('td', {}, h('code', {}, sha256)),
      ),
    ),
  );
}

const linkTo = run => h('a', { href: runAddress(run) }, run);
