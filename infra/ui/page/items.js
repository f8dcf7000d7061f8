/** Items of a set, two policies side by side: won, lost, the same. */
import { choice, h, later, number } from './dom.js';

const OUTCOMES = [
  ['lost', 'Lost'],
  ['won', 'Won'],
  ['same', 'Same'],
  ['unscored', 'Unscored'],
];

/** @param pair b against a */
export function itemList({ a, b }, sets) {
  const box = h('div', {});
  const address = set => `/data${location.pathname}/items?${new URLSearchParams({ set, a, b })}`;
  const show = set => box.replaceChildren(later(address(set), ({ items }) => listOf(items, address(set), [a, b])));
  show(sets[0]);
  return h(
    'section.items',
    { 'aria-label': 'Items' },
    h('h3', {}, `${b} against ${a}, item by item`),
    h(
      'p.tools',
      {},
      choice(
        sets.map(set => [set, set]),
        sets[0],
        show,
      ),
    ),
    box,
  );
}

function listOf(items, address, labels) {
  const list = h('div', {});
  const countOf = name => items.filter(({ outcome }) => outcome === name).length;
  const there = OUTCOMES.filter(([name]) => countOf(name) > 0);
  const show = name =>
    list.replaceChildren(
      ...items.filter(({ outcome }) => outcome === name).map(item => itemBox(item, address, labels)),
    );
  if (there.length === 0) return [h('p.quiet', {}, 'They answered no item in common.')];
  show(there[0][0]);
  return [
    h(
      'p.tools',
      {},
      choice(
        there.map(([name, label]) => [name, `${label} ${number(countOf(name))}`]),
        there[0][0],
        show,
      ),
    ),
    list,
  ];
}

function itemBox({ id, question, promptTokens, scores }, address, labels) {
  const item = h(
    'details.item',
    {},
    h(
      'summary.head',
      {},
      h('span.id', {}, id),
      h('span', {}, question),
      h('span.quiet.sizes', {}, `${scores.map(number).join(' → ')} · ${number(promptTokens)} tokens`),
    ),
  );
  const fill = () =>
    item.append(
      h(
        'div.group',
        {},
        later(`${address}&${new URLSearchParams({ item: id })}`, ({ a, b }) => [
          h('p', {}, a.question),
          h('p.quiet', {}, `Right: ${a.golds.join(' or ')}`),
          h('div.responses', {}, side(a, labels[0]), side(b, labels[1])),
        ]),
      ),
    );
  item.addEventListener('toggle', () => item.open && fill(), { once: true });
  return item;
}

function side({ answers, unscored }, label) {
  return h(
    'article.response',
    {},
    h('header', {}, h('b', {}, label)),
    unscored && h('p.reason', {}, unscored),
    answers.map(({ text, reward, reason }) => [
      h('pre.text', { tabindex: 0, 'aria-label': `Answer of ${label}` }, text),
      h('p.reason', {}, h('b', {}, `reward ${number(reward)}`), ` ${reason ?? ''}`),
    ]),
  );
}
