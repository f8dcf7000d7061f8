/** A group: the prompt with its documents folded, and the responses side by side. */

import { kindOf } from './chips.js';
import { measureControl } from './control.js';
import { h, later, number, plural, problems, stepAddress, styled } from './dom.js';
import { questionWay } from './question.js';

/** The log has the sampler's log-probability alone; the others are there where the step was measured again. */
export const COLOURINGS = [
  ['logprob', 'log-probability'],
  ['entropy', 'entropy'],
  ['gap', 'sampler–trainer difference'],
  ['none', 'nothing'],
];
const LEGENDS = {
  logprob: 'The less likely a token was, the stronger its ground.',
  entropy: 'The less the policy had decided what comes next, the stronger the ground: by 1 − exp(−entropy).',
  gap: 'How far the log-probabilities of sampler and trainer are apart: from a millionth of a nat, without ground, to a whole one.',
};
/** As far apart as sampler and trainer may be before it shows; powers of ten from there to 1. */
const LEAST_GAP = 6;
/** Of a document, that much is shown before it is unfolded. */
const GLIMPSE = 90;
/** A prompt of so many characters is shown whole. */
const SHORT = 2000;

/** Reads the group and shows it. */
export function groupBox(run, at, { round, line }) {
  const address = `/data${stepAddress(run, at)}/${round}/${line}`;
  const box = h('div.group', {});
  const fill = () => box.replaceChildren(later(address, data => groupBody(run, { ...at, round, line }, data, fill)));
  fill();
  return box;
}

/** @param again reads the group anew */
function groupBody(
  run,
  at,
  { index, prompt, promptTokens, problems: found, golds, measured, measure, responses },
  again,
) {
  return [
    ...problems(found),
    questionWay(run, index, at),
    ...(prompt === null ? [] : [promptBox(prompt, promptTokens, golds)]),
    golds.length > 0 &&
      h(
        'p.gold',
        {},
        h('span.quiet', {}, 'Right: '),
        golds.flatMap((gold, k) => [k > 0 ? ' or ' : '', h('b', {}, gold)]),
      ),
    ...Object.keys(LEGENDS).map(name =>
      h(`div.quiet.note.note-${name}`, {}, noteOn(name, run, at, { measured, measure }, again)),
    ),
    h(
      'div.responses',
      {},
      responses.map(response => responseBox(response)),
    ),
  ].filter(Boolean);
}

function promptBox(parts, tokens, golds) {
  const isShort = parts.reduce((sum, { text }) => sum + text.length, 0) <= SHORT;
  return h(
    'div.prompt',
    { tabindex: 0, 'aria-label': `Prompt, ${plural(tokens, 'token')}` },
    h('small', {}, `Prompt, ${plural(tokens, 'token')}`),
    parts.map(part => (part.kind === 'text' ? h('pre', {}, part.text) : documentBox(part, golds, isShort))),
  );
}

function documentBox({ text, number: k, isEvidence }, golds, isShort) {
  const [first = ''] = text.split('\n');
  const places = golds.some(gold => placesOf(text, gold).length > 0);
  return h(
    `details.document${isEvidence ? '.evidence' : ''}`,
    { open: isEvidence || isShort },
    h(
      'summary.fold',
      {},
      k === null || first.startsWith(`[${k}]`) ? '' : `[${k}] `,
      first.length > GLIMPSE ? `${first.slice(0, GLIMPSE)} …` : first,
      h('small', {}, ` ${plural(text.length, 'character')}`),
      isEvidence && h('span.tag', {}, 'evidence'),
      places && h('span.tag.plain', {}, 'has the answer’s words'),
    ),
    h('pre', {}, marked(text, golds)),
  );
}

/** The answers wherever they stand. */
function marked(text, golds) {
  const spots = golds
    .flatMap(gold => placesOf(text, gold).map(from => [from, from + gold.length]))
    .sort((a, b) => a[0] - b[0]);
  const nodes = [];
  let at = 0;
  for (const [from, to] of spots) {
    if (from < at) continue;
    nodes.push(text.slice(at, from), h('mark', {}, text.slice(from, to)));
    at = to;
  }
  return [...nodes, text.slice(at)];
}

/** Whole words, whatever their case. */
function placesOf(text, gold) {
  const [low, wanted] = [text.toLowerCase(), gold.toLowerCase()];
  const places = [];
  const isLetter = character => character !== undefined && /[\p{L}\p{N}]/u.test(character);
  // Texts whose lower case has another length are left unmarked.
  if (wanted === '' || low.length !== text.length || wanted.length !== gold.length) return places;
  for (let from = low.indexOf(wanted); from >= 0; from = low.indexOf(wanted, from + wanted.length)) {
    if (!isLetter(text[from - 1]) && !isLetter(text[from + wanted.length])) places.push(from);
  }
  return places;
}

function responseBox({ text, tokens, length, finish, reward, advantage, extracted, reason, rule, judge, explanation }) {
  const facts = [
    h(`b.reward.${kindOf(reward)}`, {}, reward === undefined ? 'unscored' : `reward ${number(reward)}`),
    advantage === null
      ? null
      : h('span', {}, `advantage ${advantage > 0 ? '+' : ''}${number(Number(advantage.toFixed(3)))}`),
    h('span', {}, plural(length, 'token')),
    finish === 'length' ? h('span.tag', {}, 'cut at the limit') : h('span', {}, 'ended by itself'),
  ];
  return h(
    'article.response',
    {},
    h('header', {}, facts),
    h('pre.text', { tabindex: 0, 'aria-label': 'Response' }, tokens === null ? text : tokens.map(tokenSpan)),
    reason &&
      h(
        'p.reason',
        {},
        h('b', {}, `rule ${rule}`),
        ` ${reason}`,
        extracted !== null && extracted !== undefined && h('span.quiet', {}, ` · read as “${extracted}”`),
      ),
    explanation?.length > 0 && explanationBox(explanation),
    judge && h('details.judge', {}, h('summary.fold', {}, `judge says ${judge.verdict}`), h('pre', {}, judge.reply)),
  );
}

/** What was compared with what, by which rule. */
function explanationBox(comparisons) {
  return h(
    'details.judge',
    {},
    h('summary.fold', {}, 'what was compared'),
    h(
      'ul.compared',
      {},
      comparisons.map(({ rule, answer, gold, equal }) =>
        h('li', {}, h(`b.${equal ? 'gain' : 'loss'}`, {}, equal ? '=' : '≠'), ` ${rule}: “${answer}” and “${gold}”`),
      ),
    ),
  );
}

/** What the colours mean, or how to come by them. */
function noteOn(name, run, at, { measured, measure }, again) {
  if (name === 'logprob') return LEGENDS.logprob;
  if (measured === null)
    return [
      'The log of a step has neither entropies nor the trainer’s log-probabilities. To measure this step’s tokens again: ',
      h('code', {}, measure),
      ...measureControl(run, at, again),
    ];
  if (name === 'entropy' && !measured.entropy)
    return 'A training service made this step: it tells no distributions, and so no entropy.';
  return `${LEGENDS[name]} Measured by ${measured.code}.`;
}

/** By each colouring the value that it needs of a token, what share of the ground that comes to, and what is said of it. */
const SHOWN = [
  {
    name: 'logprob',
    share: ({ logprob }) => 1 - Math.exp(logprob),
    words: ({ logprob }) =>
      `log-probability ${rounded(logprob)}, probability ${(100 * Math.exp(logprob)).toFixed(1)} %`,
  },
  {
    name: 'entropy',
    share: ({ entropy }) => 1 - Math.exp(-entropy),
    words: ({ entropy }) => `entropy ${rounded(entropy)} nats`,
  },
  {
    name: 'gap',
    share: ({ gap }) => 1 + Math.log10(gap) / LEAST_GAP,
    words: ({ trainer, gap }) => `trainer’s log-probability ${rounded(trainer)}, ${number(gap)} apart`,
  },
];

function tokenSpan({ text, ...known }) {
  const values = known.trainer === undefined ? known : { ...known, gap: Math.abs(known.logprob - known.trainer) };
  const shown = SHOWN.filter(({ name }) => values[name] !== undefined);
  const span = h('span.token', { title: shown.map(({ words }) => words(values)).join('; ') }, text);
  const grounds = shown.map(({ name, share }) => [`--${name}`, percent(share(values))]);
  return styled(span, Object.fromEntries(grounds));
}

const percent = share => `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`;
const rounded = value => number(Number(value.toFixed(4)));
