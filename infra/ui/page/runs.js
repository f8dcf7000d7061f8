/** All runs of the store. */
import { startForm } from './control.js';
import { ago, h, number, plural, problems, runAddress, state, styled, table } from './dom.js';

/** Kept from one refresh to the next. */
const chosen = new Set();
let starting = null;
let wanted = '';

export function showRuns({ runs, note }) {
  starting ??= startForm();
  const head = [h('h1', {}, 'Runs'), note && h('p.quiet', {}, note), starting].filter(Boolean);
  if (runs.length === 0) {
    return [...head, h('p', {}, 'The store has no run yet. To begin one: ', h('code', {}, 'npm start'))];
  }
  const compare = h('a.action', {}, '');
  const tell = () => {
    compare.textContent = chosen.size < 2 ? 'Choose two or more to compare' : `Compare ${chosen.size} runs`;
    if (chosen.size < 2) compare.removeAttribute('href');
    else compare.href = `/compare?${[...chosen].map(run => `run=${encodeURIComponent(run)}`).join('&')}`;
  };
  tell();
  const rows = runs.map(run => ({ run: run.run, element: row(run, tell) }));
  const filter = h('input', {
    type: 'search',
    name: 'filter',
    placeholder: 'Filter by name',
    'aria-label': 'Filter runs by name',
    value: wanted,
    oninput: () => {
      wanted = filter.value;
      apply();
    },
  });
  const apply = () => {
    for (const { run, element } of rows) element.hidden = !run.includes(wanted);
  };
  apply();
  return [
    ...head,
    h('p.tools', {}, compare, runs.length > 8 && filter),
    table(
      'runs',
      ['', 'Run', 'State', 'Stage', 'Progress', 'Last scores', 'Begun', 'Last step'],
      rows.map(({ element }) => element),
    ),
    ...runs.flatMap(run => problems(run.problems)),
  ];
}
showRuns.mayChange = () => true;

function row({ run, state: name, stage, steps, planned, scores, begun, latest }, tell) {
  const box = h('input', {
    type: 'checkbox',
    name: run,
    'aria-label': `Compare ${run}`,
    checked: chosen.has(run),
    onchange: () => {
      if (box.checked) chosen.add(run);
      else chosen.delete(run);
      tell();
      box.blur();
    },
  });
  return h(
    'tr',
    {},
    h('td', {}, box),
    h('td', {}, h('a.strong', { href: runAddress(run) }, run)),
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
    h('td', {}, progress(steps, planned)),
    h('td', {}, scores.length === 0 ? '–' : scoresOf(scores)),
    h('td', {}, ago(begun)),
    h('td', {}, ago(latest)),
  );
}

function progress(steps, planned) {
  if (planned === null || planned === 0) return plural(steps, 'step');
  const share = Math.min(1, steps / planned);
  const bar = h('span.progress', {
    role: 'progressbar',
    'aria-valuenow': Math.round(100 * share),
    'aria-label': `${steps} of ${planned} steps`,
  });
  return [styled(bar, { '--share': `${100 * share}%` }), h('small', {}, ` ${number(steps)} / ${number(planned)}`)];
}

/** In words for who does not see them: a line for each set, the shortest prompts first. */
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
