/** Evaluations: scores with intervals, two policies item by item, and the history of a schedule. */
import { intervalBar } from './bars.js';
import { differenceTable } from './compare.js';
import { h, later, plural, problems, runAddress, select, signed, table } from './dom.js';
import { itemList } from './items.js';
import { scoreTable } from './score-table.js';

export function showEvaluations({ evaluations, runs, problems: found }) {
  return [
    h('h1', {}, 'Evaluations'),
    ...problems(found),
    ...(evaluations.length === 0
      ? [
          h(
            'p',
            {},
            'The store has no evaluation of its own name. To make one: ',
            h('code', {}, 'npx longhaul evaluate --help'),
          ),
        ]
      : evaluations.map(({ name, isSchedule, count, regressions, isRegression, rows }) =>
          h(
            'section',
            { 'aria-label': name },
            h(
              'h2',
              {},
              h('a', { href: `/evaluations/${encodeURIComponent(name)}` }, name),
              isSchedule && h('small', {}, ` scheduled, ${plural(count, 'firing')}`),
              isRegression && h('span.tag.bad', {}, 'regression'),
              !isRegression && regressions > 0 && h('small', {}, `, ${plural(regressions, 'regression')} before`),
            ),
            scoreTable(rows),
          ),
        )),
    ...(runs.length === 0
      ? []
      : [
          h('h2', {}, 'Of runs'),
          h(
            'p',
            {},
            runs.flatMap((run, k) => [k > 0 && ' · ', h('a', { href: runAddress(run, 'evaluations') }, run)]),
          ),
        ]),
  ];
}
showEvaluations.mayChange = () => false;

export function showEvaluation({ name, run, rows, history, problems: found }) {
  const policies = [...new Set(rows.map(({ policy }) => policy))];
  return [
    h('h1', {}, run === null ? name : 'Evaluations'),
    ...problems(found),
    ...(rows.length === 0
      ? [h('p.quiet', {}, 'Nothing is evaluated yet.')]
      : [
          h('p.quiet', {}, 'Percent, with 95 % intervals.'),
          scoreTable(rows),
          ...(history.length > 0 ? historyTable(history) : []),
          ...(policies.length > 1 ? comparison(policies, rows) : []),
        ]),
  ];
}
showEvaluation.mayChange = () => false;

/** Every firing of a schedule, the newest first, with what changed since the one before. */
function historyTable(history) {
  const sets = [...new Set(history.flatMap(firing => firing.sets.map(({ set }) => set)))];
  return [
    h('h2', {}, 'History'),
    table(
      'plain.scored',
      ['firing', ...sets, 'since the one before', ''],
      [...history].reverse().map(({ firing, sets: own, comparisons, regression }) => {
        const over = comparisons.find(({ benchmark }) => benchmark === 'mean') ?? comparisons[0];
        return h(
          `tr${regression ? '.bad' : ''}`,
          {},
          h('th', { scope: 'row' }, firing),
          sets.map(set => {
            const one = own.find(row => row.set === set);
            return one ? h('td', {}, h('b', {}, one.score.toFixed(1)), intervalBar(one)) : h('td', {}, '–');
          }),
          h('td', {}, over ? `${signed(over.difference)} [${signed(over.low)}, ${signed(over.high)}]` : '–'),
          h('td', {}, regression && h('span.tag.bad', {}, 'regression')),
        );
      }),
    ),
  ];
}

/** Two policies to choose; once chosen, their differences and their items. */
function comparison(policies, rows) {
  const asked = new URLSearchParams(location.search);
  const isChosen = asked.has('a') && asked.has('b');
  const chosen = { a: asked.get('a') ?? policies.at(-2), b: asked.get('b') ?? policies.at(-1) };
  const field = (key, label) =>
    select(
      label,
      policies.map(policy => [policy, policy]),
      chosen[key],
      value => {
        chosen[key] = value;
      },
    );
  const go = () => {
    location.search = new URLSearchParams(chosen);
  };
  const sets = [...new Set(rows.map(({ set }) => set))];
  return [
    h('h2', {}, 'Two compared'),
    h(
      'p.tools',
      {},
      field('b', 'How is'),
      field('a', 'better than'),
      h('button.action', { type: 'button', onclick: go }, 'Compare'),
    ),
    ...(isChosen
      ? [
          later(`/data${location.pathname}/differences${location.search}`, ({ comparisons }) => [
            differenceTable(comparisons),
          ]),
          itemList(chosen, sets),
        ]
      : []),
  ];
}
