/** One run: how it is now, what its policies score by length, and its curves. */
import { runControls } from './control.js';
import { curveGrid } from './curve-grid.js';
import { ago, duration, h, number, plural, problems, runAddress, state, stepAddress } from './dom.js';
import { heatMap } from './heat-map.js';

export function showRun(data) {
  const { run, state: name, begun, latest, stages, curves, scores, now, marks, missing } = data;
  const steps = stages.at(-1)?.to ?? 0;
  return [
    h(
      'div.title',
      {},
      h('h1', {}, run),
      state(now.state === 'paused' || now.state === 'awaiting-replay' ? now.state : name),
      h('span.quiet', {}, 'begun ', ago(begun), ...(latest ? [', last step ', ago(latest)] : [])),
    ),
    ...problems([
      ...data.problems,
      ...(now.advice ? [now.advice] : []),
      ...now.failed.map(({ name, error }) => `${name}: ${error}`),
    ]),
    ...nowLine(now),
    ...runControls(run, name, now),
    stages.length === 0 ? h('p.quiet', {}, 'No stage has begun yet.') : stageList(run, stages),
    h('h2', {}, 'Score by policy and length'),
    scores.length === 0
      ? h('p.quiet', {}, 'Nothing is evaluated yet.')
      : h(
          'p.quiet',
          {},
          'Percent, with 95 % intervals: policies down in the order of the run, evaluation sets across from the shortest prompts on. ',
          h('a', { href: runAddress(run, 'evaluations') }, 'Compare two, item by item'),
        ),
    ...(scores.length === 0 ? [] : [heatMap(scores)]),
    h('h2', {}, 'Curves'),
    ...(steps === 0
      ? [h('p.quiet', {}, 'No step is logged yet.')]
      : [
          ...curveGrid(
            { ...data, curves },
            place => {
              const at = stepAt(stages, place);
              if (at) location.href = stepAddress(run, at);
            },
            h('a.toggle', { href: `/data${runAddress(run, 'curves.csv')}`, download: '' }, 'All as CSV'),
          ),
          missing > 0 &&
            h('p.quiet', { role: 'status' }, `${plural(missing, 'step')} still to be read; the curves fill in.`),
          markList(run, stages, marks),
        ].filter(Boolean)),
  ];
}
showRun.mayChange = ({ state, missing }) => state !== 'done' || missing > 0;

/** Which step is at a place of the curves. */
function stepAt(stages, place) {
  const stage = stages.find(({ from, to }) => place >= from && place <= to);
  return stage ? { stage: stage.name, attempt: stage.attempt, step: place - stage.from + 1 } : null;
}

function nowLine({ note, stage, step, planned, tokensPerSecond, secondsPerStep }) {
  if (stage === null) return note ? [h('p.quiet', {}, note)] : [];
  const parts = [
    `Now ${stage}`,
    step === null ? null : `step ${number(step)} of ${number(planned)}`,
    tokensPerSecond === null ? null : `${number(Math.round(tokensPerSecond))} tokens/s`,
    secondsPerStep === null ? null : `${duration(secondsPerStep)} a step`,
  ];
  return [h('p.now', {}, parts.filter(Boolean).join(' · '))];
}

function stageList(run, stages) {
  return h(
    'ol.stages',
    {},
    stages.map(({ name, attempt, band, planned, from, to, givenUp }) => {
      const link = (step, text) => h('a', { href: stepAddress(run, { stage: name, attempt, step }) }, text);
      return h(
        'li',
        {},
        h('b', {}, name),
        attempt > 1 && h('small', {}, `attempt ${attempt}`),
        h('span.quiet', {}, `${number(to - from + 1)}${planned === null ? '' : ` of ${number(planned)}`} steps`),
        band && h('span.quiet', {}, `${number(band.above)} – ${number(band.upTo)} tokens`),
        to >= from && name !== 'warmup' && h('span', {}, link(1, 'first step'), ' ', link(to - from + 1, 'last step')),
        givenUp.map(one =>
          h('a', { href: stepAddress(run, { stage: name, attempt: one, step: 1 }) }, `given up: attempt ${one}`),
        ),
      );
    }),
  );
}

/** What the marks in the curves stand for. */
function markList(run, stages, marks) {
  if (marks.length === 0) return null;
  return h(
    'details.marks',
    { 'data-key': 'marks' },
    h('summary.fold', {}, `${plural(marks.length, 'mark')}: replays, retries and recoveries`),
    h(
      'ul',
      {},
      marks.map(({ place, kind, text }) => {
        const at = stepAt(stages, place);
        return h(
          'li',
          {},
          h(`span.mark.${kind}`, {}, kind),
          ' ',
          at && h('a', { href: stepAddress(run, at) }, `${at.stage}, step ${number(at.step)}`),
          ` ${text}`,
        );
      }),
    ),
  );
}
