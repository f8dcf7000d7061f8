/** What each phase draws from: lengths, difficulties, what was carried over and why, and how often it was drawn. */
import { histogram, rewardBars } from './bars.js';
import { h, number, plural, problems, runAddress, table } from './dom.js';

export function showCurriculum({ run, retrospective, phases, missing, problems: found }) {
  return [
    h('h1', {}, 'Curriculum'),
    h('p.quiet', {}, rule(retrospective)),
    ...problems(found),
    ...(missing > 0
      ? [h('p.quiet', { role: 'status' }, `${plural(missing, 'step')} still to be read; the numbers grow.`)]
      : []),
    ...(phases.length === 0 ? [h('p', {}, 'This run has no phases.')] : []),
    ...phases.map(phase => phaseBox(run, phase)),
  ];
}
showCurriculum.mayChange = ({ missing, phases }) => missing > 0 || phases.some(({ recorded }) => recorded === null);

function rule({ enabled, fraction, weight }) {
  if (!enabled) return 'Phases draw from their own lengths alone: retrospective sampling is off.';
  const why =
    weight === 'zero-accuracy'
      ? 'those that were never answered, evenly'
      : 'the harder the likelier, by 1 / (mean reward + smoothing)';
  return `Each phase draws from prompts of its own lengths; ${Math.round(100 * fraction)} % of its pool is carried over from earlier phases: ${why}.`;
}

function phaseBox(run, { name, attempt, steps, band, own, lengths, pool, difficulty, recorded, draws }) {
  const facts = [
    `${number(band.above)} to ${number(band.upTo)} tokens`,
    plural(steps, 'step'),
    own === null ? null : `${plural(own, 'sample')} of its own`,
    pool && pool.carried > 0
      ? `${number(pool.carried)} carried over, of ${plural(pool.candidates, 'candidate')}`
      : null,
    attempt === null
      ? 'not begun'
      : `${plural(draws.total, 'draw')}, ${number(draws.carried)} of them of carried samples`,
  ];
  const figures = [
    lengths &&
      histogram(
        'Prompt lengths, own samples',
        lengths.bins.map(({ above, upTo, count }) => ({ label: `${number(above + 1)} – ${number(upTo)}`, count })),
        'samples',
      ),
    attempt !== null &&
      histogram('Difficulty: mean reward of a sample here', rewardBars(recorded ?? difficulty), 'samples'),
    attempt !== null && histogram('How often samples were drawn', drawnBars(draws.counts), 'samples'),
    pool &&
      pool.carried > 0 &&
      histogram('Carried over: their mean reward before', rewardBars(pool.carriedDifficulty), 'samples'),
  ];
  return h(
    'section.phase',
    { 'aria-label': name },
    h('h2', {}, name, attempt > 1 && h('small', {}, ` attempt ${attempt}`)),
    h('p.quiet', {}, facts.filter(Boolean).join(' · ')),
    h('div.figures', {}, figures),
    pool?.named.length > 0 && carriedList(run, name, pool),
  );
}

const drawnBars = counts =>
  counts.map((count, k) => ({
    label: k === 0 ? 'never' : k === 1 ? 'once' : k === counts.length - 1 ? `${k} times or more` : `${k} times`,
    count,
  }));

function carriedList(run, name, { named, unnamed }) {
  return h(
    'details.carried',
    { 'data-key': `carried ${name}` },
    h(
      'summary.fold',
      {},
      `What was carried over: the ${number(named.length)} likeliest${unnamed > 0 ? ` of ${number(named.length + unnamed)}` : ''}`,
    ),
    table(
      'plain',
      ['sample', 'mean reward before', 'weight', 'copies', 'drawn'],
      named.map(({ index, id, meanReward, weight, copies, drawn }) =>
        h(
          'tr',
          {},
          h('td', {}, h('a', { href: runAddress(run, 'questions', index) }, id)),
          h('td.number', {}, number(meanReward)),
          h('td.number', {}, number(weight)),
          h('td.number', {}, number(copies)),
          h('td.number', {}, number(drawn)),
        ),
      ),
    ),
  );
}
