/** Scores with their intervals: a row for each policy, a column for each set, the shortest prompts first. */
import { intervalBar } from './bars.js';
import { h, number, table } from './dom.js';

export function scoreTable(rows) {
  const policies = [...new Set(rows.map(({ policy }) => policy))];
  const sets = [...new Map(rows.map(row => [row.set, row])).values()].sort(
    (a, b) => a.meanPromptTokens - b.meanPromptTokens,
  );
  return table(
    'plain.scored',
    [
      'policy',
      ...sets.map(({ set, items, meanPromptTokens }) =>
        h(
          'th',
          { scope: 'col' },
          set,
          h('small', {}, ` ${number(Math.round(meanPromptTokens))} tokens, n = ${number(items)}`),
        ),
      ),
    ],
    policies.map(policy =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, policy),
        sets.map(({ set }) => {
          const row = rows.find(one => one.policy === policy && one.set === set);
          return row
            ? h(
                'td',
                {},
                h('b', {}, row.score.toFixed(1)),
                h('small', {}, ` ${row.low.toFixed(1)} – ${row.high.toFixed(1)}`),
                intervalBar(row),
              )
            : h('td', {}, '–');
        }),
      ),
    ),
  );
}
