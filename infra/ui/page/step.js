/** One step: its groups, and of each that is opened the prompt and the responses side by side. */
import { choice, h, number, plural, problems, toggle } from './dom.js';

const FILTERS = [
  ['all', 'All', () => true],
  ['trained', 'Trained on', ({ isTrained }) => isTrained],
  ['mixed', 'Rewards differ', ({ rewards }) => new Set(rewards).size > 1],
  ['right', 'All right', ({ rewards }) => rewards.every(reward => reward >= 1)],
  ['wrong', 'None right', ({ rewards }) => rewards.every(reward => reward !== null && reward < 1)],
  ['unscored', 'Unscored', ({ dropped }) => dropped === 'unscored'],
];
/** Of a prompt, that much of its end is shown before it is unfolded: the question mostly. */
const SHOWN_END = 400;

let isColoured = true;

export function showStep(data) {
  const { run, stage, attempt, step, previous, next, groups, counts, skipped, settings, examples } = data;
  const address = number => `/runs/${encodeURIComponent(run)}/${stage}/${attempt}/${number}`;
  const list = h('div.groups', {});
  const items = groups.map((group, k) => groupItem(address(step), group, k));
  const show = name => {
    const [, , test] = FILTERS.find(([one]) => one === name);
    const chosen = items.filter((_, k) => test(groups[k]));
    list.replaceChildren(...(chosen.length === 0 ? [h('p.quiet', {}, 'No group is like that.')] : chosen));
  };
  show('all');
  items[
    Math.max(
      0,
      groups.findIndex(({ isTrained }) => isTrained),
    )
  ]?.setAttribute('open', '');
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
    ...(groups.length === 0
      ? []
      : [
          h(
            'p.tools',
            {},
            choice(available(groups), 'all', show),
            toggle('Colour by log-probability', isColoured, on => {
              isColoured = on;
              list.classList.toggle('plain', !on);
            }),
          ),
          list,
        ]),
  ];
}
// A logged step never changes, and what is opened stays open.
showStep.mayChange = () => false;

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

const FATE = { 'no-variance': 'rewards all equal', unscored: 'unscored' };

function groupItem(address, group, k) {
  const body = h('div.group', {}, h('p.quiet', {}, 'Reading …'));
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
      group.origin === 'carried' && h('span.tag', {}, 'carried'),
      h('span.quiet', {}, group.reason ? `${fate}: ${group.reason}` : fate),
    ),
    body,
  );
  item.addEventListener('toggle', () => item.open && fill(), { once: true });
  async function fill() {
    try {
      const response = await fetch(`/data${address}/${group.round}/${group.line}`);
      const data = await response.json();
      if (!response.ok) throw new Error(data.error);
      body.replaceChildren(...groupBody(data));
    } catch (error) {
      body.replaceChildren(...problems([error.message]));
    }
  }
  return item;
}

const chip = reward => h(`span.chip.${kindOf(reward)}`, { title: reward === null ? 'unscored' : number(reward) });
const kindOf = reward =>
  reward === null || reward === undefined ? 'unknown' : reward >= 1 ? 'right' : reward > 0 ? 'partly' : 'wrong';

function groupBody({ prompt, promptTokens, problem, responses }) {
  return [
    ...(problem ? problems([problem]) : []),
    ...(prompt === null ? [] : [promptBox(prompt, promptTokens)]),
    h('div.responses', {}, responses.map(responseBox)),
  ];
}

function promptBox(prompt, tokens) {
  if (prompt.length <= SHOWN_END) return h('pre.prompt', {}, prompt);
  return h(
    'div',
    {},
    h(
      'details.whole',
      {},
      h('summary.fold', {}, `Whole prompt, ${plural(tokens, 'token')}`),
      h('pre.prompt', {}, prompt),
    ),
    h('pre.prompt', {}, `… ${prompt.slice(-SHOWN_END)}`),
  );
}

function responseBox({ text, tokens, length, finish, reward, advantage, extracted, reason, rule, judge }) {
  const facts = [
    h(`b.reward.${kindOf(reward)}`, {}, reward === undefined ? 'unscored' : `reward ${number(reward)}`),
    advantage === null
      ? null
      : h('span', {}, `advantage ${advantage > 0 ? '+' : ''}${number(Number(advantage.toFixed(3)))}`),
    h('span', {}, plural(length, 'token')),
    finish === 'length' && h('span.tag', {}, 'cut at the limit'),
  ];
  return h(
    'article.response',
    {},
    h('header', {}, facts),
    h('pre.text', {}, tokens === null ? text : tokens.map(tokenSpan)),
    reason &&
      h(
        'p.reason',
        {},
        h('b', {}, `rule ${rule}`),
        ` ${reason}`,
        extracted !== null && extracted !== undefined && h('span.quiet', {}, ` · read as “${extracted}”`),
      ),
    judge && h('details.judge', {}, h('summary.fold', {}, `judge says ${judge.verdict}`), h('pre', {}, judge.reply)),
  );
}

/** The less likely, the stronger its ground. */
function tokenSpan({ text, logprob }) {
  const span = h(
    'span.token',
    {
      title: `log-probability ${number(Number(logprob.toFixed(4)))}, probability ${(100 * Math.exp(logprob)).toFixed(1)} %`,
    },
    text,
  );
  span.style.setProperty('--doubt', `${Math.round(100 * (1 - Math.exp(logprob)))}%`);
  return span;
}
