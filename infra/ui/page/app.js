/** Looks at the address, asks the server for what it names, and shows it; anew whenever that has changed. */
import { showCompare } from './compare.js';
import { takeToken } from './control.js';
import { showCurriculum } from './curriculum.js';
import { h, problems, runAddress } from './dom.js';
import { showEvaluation, showEvaluations } from './evaluations.js';
import { follow } from './live.js';
import { showProof } from './proof.js';
import { showQuestion } from './question.js';
import { showRun } from './run.js';
import { showRuns } from './runs.js';
import { showStep } from './step.js';
import { showStudies, showStudy } from './studies.js';

takeToken();

const segments = location.pathname.split('/').filter(Boolean).map(decodeURIComponent);
const [first, name, third] = segments;
const main = document.getElementById('main');

/** Each gives, given the data, the elements to show, and says whether they may still change. */
const OF_RUN = {
  curriculum: { show: showCurriculum, title: 'curriculum' },
  evaluations: { show: showEvaluation, title: 'evaluations' },
  proof: { show: showProof, title: 'proof' },
};

function pageOf() {
  if (first === undefined) return { ask: '/runs', show: showRuns, title: [] };
  const ask = location.pathname + location.search;
  if (first === 'compare') return { ask, show: showCompare, title: ['compare'] };
  if (first === 'evaluations' && name === undefined) return { ask, show: showEvaluations, title: ['evaluations'] };
  if (first === 'evaluations') return { ask, show: showEvaluation, title: ['evaluations', name] };
  if (first === 'studies' && name === undefined) return { ask, show: showStudies, title: ['studies'] };
  if (first === 'studies') return { ask, show: showStudy, title: ['studies', name] };
  if (third === undefined) return { ask, show: showRun, title: [name] };
  if (third === 'questions') return { ask, show: showQuestion, title: [name, `question ${segments[3]}`] };
  if (OF_RUN[third]) return { ask, show: OF_RUN[third].show, title: [name, OF_RUN[third].title] };
  return { ask, show: showStep, title: [name, `${third}, step ${segments[4]}`] };
}

const page = pageOf();
document.title = [...page.title].reverse().concat('longhaul').join(' · ');
showWay();

follow(page.ask, {
  show(data) {
    const opened = new Set([...main.querySelectorAll('details[open][data-key]')].map(({ dataset }) => dataset.key));
    const focused = keyOf(document.activeElement);
    main.replaceChildren(...page.show(data));
    for (const item of main.querySelectorAll('details[data-key]')) if (opened.has(item.dataset.key)) item.open = true;
    if (focused === null) return;
    const again = [...main.querySelectorAll('a, button, summary, input')].find(one => keyOf(one) === focused);
    again?.focus({ preventScroll: true });
  },
  fail(message) {
    main.replaceChildren(...problems([message]));
  },
  mayChange: page.show.mayChange,
  // What is being typed or chosen is not taken away.
  isBusy: () =>
    main.querySelector('.menu[open]') !== null ||
    (main.contains(document.activeElement) && /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)),
});

function keyOf(element) {
  if (!element || !main.contains(element)) return null;
  return [element.tagName, element.getAttribute('href'), element.textContent, element.getAttribute('name')].join('\n');
}

/** Where the reader is, and beside it the other pages of the run. */
function showWay() {
  const way = document.getElementById('way');
  const at = address => ({ href: address, 'aria-current': address === location.pathname ? 'page' : 'false' });
  const isRun = first === 'runs';
  const places = [
    ...(isRun ? [[name, runAddress(name)]] : page.title.map((text, k) => [text, k === 0 ? `/${first}` : null])),
    ...(isRun && page.title.length > 1 && !OF_RUN[third] ? [[page.title[1], null]] : []),
  ];
  way.append(
    ...places.flatMap(([text, address]) => [
      h('span.then', { 'aria-hidden': true }, '/'),
      address === null ? h('span', {}, text) : h('a', at(address), text),
    ]),
  );
  const tabs = isRun
    ? [
        ['Run', runAddress(name)],
        ...Object.keys(OF_RUN).map(one => [one[0].toUpperCase() + one.slice(1), runAddress(name, one)]),
      ]
    : [
        ['Runs', '/'],
        ['Evaluations', '/evaluations'],
        ['Studies', '/studies'],
      ];
  document.getElementById('tabs').append(...tabs.map(([text, address]) => h('a', at(address), text)));
}
