/** All runs of the store. */
import { ago, h, number, plural, problems, state } from './dom.js';

export function showRuns({ runs, note }) {
  const head = [h('h1', {}, 'Runs'), note && h('p.quiet', {}, note)].filter(Boolean);
  if (runs.length === 0) {
    return [...head, h('p', {}, 'The store has no run yet. To begin one: ', h('code', {}, 'npm start'))];
  }
  return [
    ...head,
    h(
      'div.wide',
      {},
      h(
        'table.runs',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Run', 'State', 'Stage', 'Steps', 'Last scores', 'Begun', 'Last step'].map(name => h('th', {}, name)),
          ),
        ),
        h('tbody', {}, runs.map(row)),
      ),
    ),
    ...runs.flatMap(run => problems(run.problems)),
  ];
}
showRuns.mayChange = () => true;

function row({ run, state: name, stage, steps, scores, begun, latest }) {
  return h(
    'tr',
    {},
    h('td', {}, h('a.strong', { href: `/runs/${encodeURIComponent(run)}` }, run)),
    h('td', {}, state(name)),
    h(
      'td',
      {},
      stage
        ? [
            stage.name,
            h('small', {}, ` ${number(stage.steps)}${stage.planned === null ? '' : ` / ${number(stage.planned)}`}`),
          ]
        : '–',
    ),
    h('td.number', {}, number(steps)),
    h('td', {}, scores.length === 0 ? '–' : scoresOf(scores)),
    h('td', {}, ago(begun)),
    h('td', {}, ago(latest)),
  );
}

/** A bar for each set, the shortest prompts first; in words for who does not see them. */
function scoresOf(scores) {
  const text = scores.map(
    ({ set, score, low, high }) => `${set}: ${score.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`,
  );
  const mean = scores.reduce((sum, { score }) => sum + score, 0) / scores.length;
  return h(
    'span.scores',
    { title: text.join('\n') },
    h('b', {}, `${mean.toFixed(1)} %`),
    h('small', {}, ` ${scores[0].policy}, mean of ${plural(scores.length, 'set')}`),
  );
}
