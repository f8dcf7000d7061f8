/** One question across the steps: how its answers changed. */

import { chip } from './chips.js';
import { h, number, plural, problems, runAddress, stepAddress, table } from './dom.js';

const placeOf = ({ stage, attempt, step, round, line }) => [stage, attempt, step, round, line].join('/');
const drawAddress = (run, drawn) => `${stepAddress(run, drawn)}?group=${drawn.round}.${drawn.line}`;

export function showQuestion({ run, index, sample, draws, missing, problems: found }) {
  return [
    h('h1', {}, sample?.id ?? `question ${index}`),
    ...problems(found),
    ...(sample
      ? [
          h('p', {}, sample.question),
          h(
            'p.quiet',
            {},
            `Right: ${sample.answers.join(' or ')} · ${sample.task} · prompt of ${plural(sample.promptTokens, 'token')}`,
          ),
        ]
      : []),
    ...(missing > 0 ? [h('p.quiet', { role: 'status' }, `${plural(missing, 'step')} still to be read.`)] : []),
    draws.length === 0
      ? h('p', {}, missing > 0 ? 'Not drawn in what is read by now.' : 'It was never drawn.')
      : table(
          'plain',
          ['drawn in', 'as', 'mean reward', 'responses'],
          draws.map(drawn =>
            h(
              'tr',
              {},
              h('td', {}, h('a', { href: drawAddress(run, drawn) }, nameOf(drawn))),
              h('td', {}, drawn.origin === 'carried' ? h('span.tag', {}, 'carried') : 'its own phase’s'),
              h('td.number', {}, number(drawn.meanReward)),
              h('td', {}, h('span.chips', {}, drawn.rewards.map(chip))),
            ),
          ),
        ),
  ];
}
showQuestion.mayChange = ({ missing }) => missing > 0;

const nameOf = ({ stage, attempt, step }) =>
  `${stage}${attempt > 1 ? `, attempt ${attempt}` : ''}, step ${number(step)}`;

/** From a group to the same question in other steps. */
export function questionWay(run, index, at) {
  const box = h('nav.question', { 'aria-label': 'The same question in other steps' });
  void fill();
  async function fill() {
    const response = await fetch(`/data${runAddress(run, 'questions', index)}`);
    if (!response.ok) return;
    const { draws } = await response.json();
    const k = draws.findIndex(drawn => placeOf(drawn) === placeOf(at));
    const link = (drawn, text) => drawn && h('a', { href: drawAddress(run, drawn) }, text(drawn));
    box.replaceChildren(
      h(
        'a',
        { href: runAddress(run, 'questions', index) },
        draws.length > 1 ? `Drawn ${number(draws.length)} times` : 'This question',
      ),
      ...[
        link(k > 0 ? draws[k - 1] : null, drawn => `← before in ${nameOf(drawn)}`),
        link(k >= 0 ? draws[k + 1] : null, drawn => `then in ${nameOf(drawn)} →`),
      ].filter(Boolean),
    );
  }
  return box;
}
