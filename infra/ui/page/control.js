/** What may be done to runs, where the page was opened at the address with the token: the same as from the command line. */
import { h, problems } from './dom.js';

const KEY = 'longhaul-token';

/** Out of the address, where it would be seen and shared. */
export function takeToken() {
  const [, token] = /^#token=([\w-]+)$/.exec(location.hash) ?? [];
  if (token === undefined) return;
  localStorage.setItem(KEY, token);
  history.replaceState(null, '', location.pathname + location.search);
}

const hasToken = () => localStorage.getItem(KEY) !== null;

async function act(path, input) {
  const response = await fetch(`/control/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-longhaul-token': localStorage.getItem(KEY) },
    body: JSON.stringify(input),
  });
  const { said, error } = await response.json();
  if (response.status === 403) localStorage.removeItem(KEY);
  if (!response.ok) throw new Error(error);
  return said;
}

/** What was last said, and the box that shows it, by what it is about: the page may be drawn anew before the answer comes. */
const said = new Map();
const boxes = new Map();

function answerBox(key) {
  boxes.set(key, h('div.answer', { role: 'status' }));
  fill(key);
  return boxes.get(key);
}

function fill(key) {
  const answer = said.get(key);
  if (answer === undefined) return;
  boxes.get(key).replaceChildren(...(answer.failed ? problems([answer.text]) : [h('p.quiet', {}, answer.text)]));
}

function say(key, text, failed = false) {
  said.set(key, { text, failed });
  fill(key);
}

/** @returns whether it was done */
async function perform(key, path, input) {
  say(key, '…');
  try {
    say(key, await act(path, input));
    return true;
  } catch (error) {
    say(key, error.message, true);
    return false;
  }
}

/**
 * Buttons for a run that is under way; nothing without a token.
 * @param now what the workflow says: state, failed stages
 */
export function runControls(run, state, now) {
  if (!hasToken() || state !== 'running') return [];
  const button = (action, label, sure) =>
    h(
      'button.action',
      {
        type: 'button',
        onclick: () => (!sure || confirm(sure)) && perform(run, `${encodeURIComponent(run)}/${action}`, null),
      },
      label,
    );
  const paused = now.state === 'paused';
  return [
    h(
      'p.tools',
      {},
      paused ? button('resume', 'Resume') : button('pause', 'Pause'),
      button('cancel', 'Cancel', `Cancel the run "${run}"? What it has published is kept; it can be started again.`),
    ),
    ...(now.state === 'awaiting-replay' ? [replayForm(run, now)] : []),
    answerBox(run),
  ];
}

function replayForm(run, { failed }) {
  const name = failed.at(-1)?.name ?? 'phase-1';
  const phase = name === 'warmup' ? 0 : Number(name.slice('phase-'.length));
  const overrides = h('textarea', {
    name: 'overrides',
    rows: 2,
    placeholder: '{"rl.optimizer.learningRate": 1e-6}',
    'aria-label': 'Settings to change, as JSON',
  });
  const send = event => {
    event.preventDefault();
    let settings;
    try {
      settings = overrides.value.trim() === '' ? {} : JSON.parse(overrides.value);
    } catch (error) {
      return say(run, `Settings: expected JSON (${error.message})`, true);
    }
    return perform(run, `${encodeURIComponent(run)}/replay`, { phase, overrides: settings });
  };
  return h(
    'form.form',
    { onsubmit: send },
    h('b', {}, `Replay ${name}`),
    h('label', {}, 'with other settings ', overrides),
    h('button.action', { type: 'submit' }, 'Replay'),
  );
}

/** A button that has a step's tokens measured again; nothing without a token. @param done called once they are */
export function measureControl(run, at, done) {
  if (!hasToken()) return [];
  const { stage, attempt, step } = at;
  const key = [run, stage, attempt, step].join('/');
  const button = h('button.action', { type: 'button' }, 'Measure now');
  button.addEventListener('click', async () => {
    button.disabled = true;
    if (await perform(key, `${encodeURIComponent(run)}/measure`, { stage, attempt, step })) done();
    button.disabled = false;
  });
  return [' ', button, answerBox(key)];
}

/** A form that starts a run from a preset; nothing without a token. */
export function startForm() {
  if (!hasToken()) return null;
  const preset = h('select', { name: 'preset', 'aria-label': 'Preset' });
  const name = h('input', { name: 'name', placeholder: 'name', 'aria-label': 'Name of the run', size: 16 });
  const set = h('input', {
    name: 'set',
    placeholder: 'seed=2 phases.0.steps=20',
    'aria-label': 'Settings, path=value, blanks between',
    size: 30,
  });
  const send = event => {
    event.preventDefault();
    const settings = set.value.split(/\s+/).filter(Boolean);
    return perform('start', 'start', {
      preset: preset.value,
      ...(name.value && { name: name.value }),
      ...(settings.length > 0 && { set: settings }),
    });
  };
  const form = h(
    'form.form',
    { onsubmit: send },
    h('b', {}, 'Start a run'),
    h('label', {}, 'preset ', preset),
    h('label', {}, 'name ', name),
    h('label', {}, 'with ', set),
    h('button.action', { type: 'submit' }, 'Start'),
    answerBox('start'),
  );
  form.hidden = true;
  void fetch('/data/control')
    .then(response => response.json())
    .then(({ presets }) => {
      if (!presets) return;
      preset.replaceChildren(...presets.map(one => h('option', { value: one, selected: one === 'tiny' }, one)));
      form.hidden = false;
    });
  return form;
}
