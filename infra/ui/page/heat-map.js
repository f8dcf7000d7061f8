/** The method's own picture: policies down, context lengths across, scores with their 95 % intervals. */
import { h, number } from './dom.js';

/** @param scores policies in the order of the run, and of each its sets from the shortest prompts on */
export function heatMap(scores) {
  const policies = [...new Set(scores.map(({ policy }) => policy))];
  const sets = [...new Map(scores.map(row => [row.set, row])).values()].sort(
    (a, b) => a.meanPromptTokens - b.meanPromptTokens,
  );
  const cellOf = (policy, set) => scores.find(row => row.policy === policy && row.set === set);
  return h(
    'div.wide',
    {},
    h(
      'table.heat',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', {}, 'policy'),
          sets.map(({ set, meanPromptTokens, items }) =>
            h('th', {}, set, h('small', {}, `${number(Math.round(meanPromptTokens))} tokens, n = ${number(items)}`)),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        policies.map(policy =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, policy),
            sets.map(({ set }) => cell(cellOf(policy, set))),
          ),
        ),
      ),
    ),
  );
}

function cell(row) {
  if (!row) return h('td.none', {}, '');
  const { score, low, high } = row;
  const element = h(
    `td.heat-${score >= 75 ? 'high' : 'low'}`,
    {},
    h('b', {}, score.toFixed(1)),
    h('small', {}, `${low.toFixed(1)} – ${high.toFixed(1)}`),
  );
  element.style.setProperty('--score', `${Math.max(0, Math.min(100, score))}%`);
  return element;
}
