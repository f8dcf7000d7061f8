/** One step: its groups, and of each that is opened the prompt and the responses side by side. */

import { chip } from './chips.js';
import { choice, h, number, plural, select, stepAddress } from './dom.js';
import { COLOURINGS, groupBox } from './group.js';

const FILTERS = [
  ['all', 'All', () => true],
  ['trained', 'Trained on', ({ isTrained }) => isTrained],
  ['mixed', 'Rewards differ', ({ rewards }) => new Set(rewards).size > 1],
  ['right', 'All right', ({ rewards }) => rewards.every(reward => reward >= 1)],
  ['wrong', 'None right', ({ rewards }) => rewards.every(reward => reward !== null && reward < 1)],
  ['carried', 'Carried over', ({ origin }) => origin === 'carried'],
  ['dropped', 'Dropped', ({ dropped }) => dropped !== null],
  ['truncated', 'Cut at the limit', ({ truncated }) => truncated > 0],
  ['unscored', 'Unscored', ({ dropped }) => dropped === 'unscored'],
];
const ORDERS = [
  ['drawn', 'as drawn', () => 0],
  ['low', 'lowest reward first', (a, b) => (a.meanReward ?? 2) - (b.meanReward ?? 2)],
  ['high', 'highest reward first', (a, b) => (b.meanReward ?? -1) - (a.meanReward ?? -1)],
  ['long', 'longest response first', (a, b) => (b.longest ?? 0) - (a.longest ?? 0)],
  ['prompt', 'longest prompt first', (a, b) => (b.promptTokens ?? 0) - (a.promptTokens ?? 0)],
];

const view = { filter: 'all', order: 'drawn', colouring: COLOURINGS[0][0] };

export function showStep(data) {
  const { run, stage, attempt, step, previous, next, groups, counts, skipped, settings, examples, metrics, remarks } =
    data;
  const address = number => stepAddress(run, { stage, attempt, step: number });
  const list = h('div.groups', {});
  const items = groups.map((group, k) => groupItem(run, { stage, attempt, step }, group, k));
  const show = () => {
    const [, , test] = FILTERS.find(([one]) => one === view.filter);
    const [, , order] = ORDERS.find(([one]) => one === view.order);
    const chosen = groups
      .map((group, k) => ({ group, item: items[k] }))
      .filter(({ group }) => test(group))
      .sort((a, b) => order(a.group, b.group));
    list.replaceChildren(
      ...(chosen.length === 0 ? [h('p.quiet', {}, 'No group is like that.')] : chosen.map(({ item }) => item)),
    );
  };
  const colour = name => {
    view.colouring = name;
    list.dataset.colouring = name;
  };
  colour(view.colouring);
  if (!available(groups).some(([name]) => name === view.filter)) view.filter = 'all';
  show();
  const wanted = new URLSearchParams(location.search).get('group');
  const opened =
    wanted === null
      ? groups.findIndex(({ isTrained }) => isTrained)
      : groups.findIndex(({ round, line }) => `${round}.${line}` === wanted);
  items[Math.max(0, opened)]?.setAttribute('open', '');
  if (wanted !== null) setTimeout(() => items[opened]?.scrollIntoView());
  return [
    h(
      'div.title',
      {},
      h('h1', {}, `${stage}, step ${number(step)}`),
      attempt > 1 && h('span.quiet', {}, `attempt ${attempt}`),
      h(
        'nav.steps',
        { 'aria-label': 'Steps' },
        previous === null ? null : h('a', { href: address(previous), rel: 'prev' }, '← previous'),
        next === null ? null : h('a', { href: address(next), rel: 'next' }, 'next →'),
      ),
    ),
    h('p.quiet', {}, summary({ counts, skipped, settings, examples })),
    metricsLine(metrics),
    ...remarks.map(remark => h('p.quiet', {}, remark)),
    ...(groups.length === 0
      ? []
      : [
          h(
            'div.tools',
            {},
            choice(available(groups), view.filter, name => {
              view.filter = name;
              show();
            }),
            select('Order', ORDERS, view.order, name => {
              view.order = name;
              show();
            }),
            select('Colour tokens by', COLOURINGS, view.colouring, colour),
          ),
          list,
        ]),
  ];
}
// A logged step never changes, and what is opened stays open.
showStep.mayChange = () => false;

/** From one step to the next without the mouse. */
document.addEventListener('keydown', event => {
  if (event.target.closest?.('input, select, textarea') || event.altKey || event.ctrlKey || event.metaKey) return;
  const rel = { ArrowLeft: 'prev', ArrowRight: 'next' }[event.key];
  if (rel) document.querySelector(`nav.steps a[rel="${rel}"]`)?.click();
});

const available = groups => FILTERS.filter(([name, , test]) => name === 'all' || groups.some(test));

function summary({ counts, skipped, settings, examples }) {
  if (settings.kind === 'sft') return `Supervised warm-up on ${plural(examples, 'example')}; it samples no responses.`;
  return [
    `${settings.loss.algorithm}: ${plural(counts.drawn, 'group')} drawn`,
    `${number(counts.effective)} whose rewards differ`,
    counts.carriedDrawn > 0 ? `${number(counts.carriedDrawn)} carried over from earlier phases` : null,
    counts.unscored > 0 ? `${number(counts.unscored)} unscored` : null,
    skipped ? 'skipped: too few could teach anything' : `${number(counts.trained)} trained on`,
    `mean reward ${number(counts.meanReward)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** What the updates say of the step's tokens as a whole. */
function metricsLine(metrics) {
  const mean = name => {
    const values = metrics.map(one => one[name]).filter(value => value !== undefined);
    return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
  };
  const parts = [
    ['loss', 'loss'],
    ['entropy', 'entropy'],
    ['sampler–trainer difference', 'logprobDifferenceMean'],
    ['gradient norm', 'gradNorm'],
  ].flatMap(([label, name]) => (mean(name) === null ? [] : [`${label} ${number(mean(name))}`]));
  return parts.length === 0 ? null : h('p.quiet', {}, parts.join(' · '));
}

const FATE = { 'no-variance': 'rewards all equal', unscored: 'unscored' };

function groupItem(run, at, group, k) {
  const fate = group.isTrained ? 'trained on' : (FATE[group.dropped] ?? 'not needed');
  const item = h(
    'details.item',
    {},
    h(
      'summary.head',
      {},
      h('span.place', {}, `${k + 1}`),
      h('span.chips', { 'aria-hidden': true }, group.rewards.map(chip)),
      h('span.mean', {}, group.meanReward === null ? '–' : number(group.meanReward)),
      h('span.id', {}, group.id),
      group.task && h('span.tag.plain', {}, group.task),
      group.origin === 'carried' && h('span.tag', {}, 'carried'),
      group.truncated > 0 && h('span.tag', {}, `${group.truncated} cut`),
      h('span.quiet', {}, group.reason ? `${fate}: ${group.reason}` : fate),
      group.longest > 0 &&
        h('span.quiet.sizes', {}, `prompt ${number(group.promptTokens)}, longest ${number(group.longest)} tokens`),
    ),
  );
  item.addEventListener('toggle', () => item.open && item.append(groupBox(run, at, group)), { once: true });
  return item;
}
