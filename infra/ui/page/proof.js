/** Why to believe a run: where its policies come from, what verify found, and who did what when. */
import { duration, h, number, plural, problems, table } from './dom.js';
import { lineageGraph } from './lineage.js';
import { timeline } from './timeline.js';

export function showProof({ run, base, branch, nodes, verifications, timeline: lines, problems: found, commands }) {
  return [
    h('h1', {}, 'Proof'),
    ...problems(found),
    h('h2', {}, 'Lineage'),
    h(
      'p.quiet',
      {},
      'From the base to the last policy: a box for each attempt of a stage. Given-up attempts lead nowhere. In full: ',
      h('code', {}, commands.lineage),
    ),
    base === null
      ? h('p.quiet', {}, 'The base model is not imported yet.')
      : lineageGraph({ run, base, branch, nodes }),
    h('h2', {}, 'Verified'),
    ...verified(commands.verify, verifications),
    h('h2', {}, 'Who did what when'),
    ...(lines.note ? [h('p.quiet', {}, lines.note)] : []),
    ...(lines.spans.length === 0 ? [] : [timeline(lines), secondsTable(lines), eventList(lines)]),
  ];
}
showProof.mayChange = ({ timeline: { spans } }) => spans.some(({ to }) => to === null);

function verified(typed, [last, ...before]) {
  const command = h('code', {}, typed);
  if (!last) return [h('p', {}, 'Not yet. To check the log and make steps again, bit by bit: ', command)];
  const equal = last.redone.filter(({ difference }) => difference === null).length;
  return [
    h(
      'p',
      {},
      h(`b.${last.sound ? 'gain' : 'loss'}`, {}, last.sound ? 'Sound.' : 'Not sound.'),
      ` On ${new Date(last.at).toLocaleString()} the log of ${plural(last.steps, 'step')} ${last.faults.length === 0 ? 'held together' : `had ${plural(last.faults.length, 'fault')}`}, and ${number(equal)} of ${plural(last.redone.length, 'redone step')} came out bit-equal. `,
      h('small', {}, `longhaul ${last.code.longhaul}, onnxruntime ${last.code.onnxruntime}`),
      ...(before.length > 0 ? [h('small', {}, ` · ${plural(before.length, 'check')} before`)] : []),
    ),
    ...problems(last.faults),
    ...problems(
      last.redone
        .filter(({ difference }) => difference !== null)
        .map(({ stage, step, difference }) => `${stage}, step ${step}: differs in ${difference.field}`),
    ),
    h('p.quiet', {}, 'Again: ', command),
  ];
}

function secondsTable({ seconds: { activities, outside }, workers }) {
  return h(
    'div',
    {},
    h('h3', {}, 'Where the time went'),
    table(
      'plain',
      ['activity', 'times', 'tried again', 'time'],
      [
        ...activities.map(({ activity, count, seconds, again }) =>
          h(
            'tr',
            {},
            h('td', {}, activity),
            h('td.number', {}, number(count)),
            h('td.number', {}, again === 0 ? '' : number(again)),
            h('td.number', {}, duration(seconds)),
          ),
        ),
        h(
          'tr',
          {},
          h('td.quiet', {}, 'outside of activities'),
          h('td', {}),
          h('td', {}),
          h('td.number', {}, duration(outside)),
        ),
      ],
    ),
    h('p.quiet', {}, `${plural(workers.length, 'worker')}: ${workers.join(', ')}`),
  );
}

function eventList({ events, spans }) {
  const failed = spans
    .filter(({ failure }) => failure !== null)
    .map(({ from, activity, failure, tries, outcome }) => ({
      time: from,
      kind: outcome === 'done' ? 'mended' : 'fault',
      text: `${activity}${tries > 1 ? ` (try ${tries})` : ''}: ${failure}`,
    }));
  const all = [...events, ...failed].sort((a, b) => a.time - b.time);
  if (all.length === 0) return h('p.quiet', {}, 'Nothing went wrong, and nobody interfered.');
  return h(
    'div',
    {},
    h('h3', {}, 'What happened'),
    h(
      'ul.events',
      {},
      all.map(({ time, kind, text }) =>
        h('li', {}, h('time', {}, new Date(time).toLocaleString()), ' ', h(`span.mark.${kind}`, {}, kind), ` ${text}`),
      ),
    ),
  );
}
