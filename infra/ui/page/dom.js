/** Elements made from values. Text is always text: what a model or a document says never becomes markup. */

/**
 * @param {string} tag with classes, e.g. 'p.quiet'
 * @param {Record<string, unknown>} attributes functions become listeners (`onclick`), false and null are left out
 * @param {...unknown} children nodes, lists of them, or text; null, undefined and false are left out
 */
export function h(tag, attributes = {}, ...children) {
  return made(name => document.createElement(name), tag, attributes, children);
}

/** The same for a picture's elements. */
export function svg(tag, attributes = {}, ...children) {
  return made(name => document.createElementNS('http://www.w3.org/2000/svg', name), tag, attributes, children);
}

function made(create, tag, attributes, children) {
  const [name, ...classes] = tag.split('.');
  const element = create(name);
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (key.startsWith('aria-')) element.setAttribute(key, String(value));
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(
    ...children
      .flat(2)
      .filter(child => child !== null && child !== undefined && child !== false)
      .map(asNode),
  );
  return element;
}

const asNode = child => (child instanceof Node ? child : document.createTextNode(String(child)));

/** A style that is computed: no page may bring styles in its markup. */
export function styled(element, styles) {
  for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value);
  return element;
}

/** A button that is on or off. */
export function toggle(label, isOn, onchange, attributes = {}) {
  const button = h('button.toggle', { type: 'button', 'aria-pressed': isOn, ...attributes }, label);
  button.addEventListener('click', () => {
    const now = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', now);
    onchange(now);
  });
  return button;
}

/** Buttons of which one is on. */
export function choice(options, chosen, onchange) {
  const buttons = options.map(([value, label]) =>
    h('button.toggle', { type: 'button', 'aria-pressed': value === chosen, onclick: () => choose(value) }, label),
  );
  function choose(value) {
    for (const [k, [one]] of options.entries()) buttons[k].setAttribute('aria-pressed', one === value);
    onchange(value);
  }
  return h('span.choice', {}, buttons);
}

/** A field to choose from, with its name. */
export function select(label, options, chosen, onchange) {
  const field = h(
    'select',
    { onchange: () => onchange(field.value) },
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
  return h('label.field', {}, `${label} `, field);
}

export function table(kind, heads, rows) {
  return h(
    'div.wide',
    {},
    h(
      `table.${kind}`,
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          heads.map(head => (head instanceof Node ? head : h('th', { scope: 'col' }, head))),
        ),
      ),
      h('tbody', {}, rows),
    ),
  );
}

/** Up to four digits that matter. */
export function number(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0 || Number.isInteger(value)) return value.toLocaleString('en-US');
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

export const signed = value => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;

export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? '' : 's'}`;

/** How long something took, in two units at most. */
export function duration(seconds) {
  if (seconds < 60) return `${number(Number(seconds.toPrecision(2)))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago, in the reader's time zone on hover. */
export function ago(iso) {
  if (iso === null) return '–';
  const seconds = Math.max(0, (Date.now() - new Date(iso)) / 1000);
  const [unit, size] = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ].find(([, s]) => seconds >= s) ?? ['second', 1];
  const text = seconds < 10 ? 'just now' : `${plural(Math.floor(seconds / size), unit)} ago`;
  return h('time', { datetime: iso, title: new Date(iso).toLocaleString() }, text);
}

export const state = name => h(`span.state.${name.replace(/[^a-z]/g, '')}`, {}, name);

/** What takes longer than the page: shown when it has come. */
export function later(address, show) {
  const box = h('div', {}, h('p.quiet', { role: 'status' }, 'Reading …'));
  void fill();
  async function fill() {
    try {
      const response = await fetch(address);
      const data = await response.json();
      if (!response.ok) throw new Error(data.error);
      box.replaceChildren(...show(data).filter(Boolean));
    } catch (error) {
      box.replaceChildren(...problems([error.message]));
    }
  }
  return box;
}

/** Damaged artifacts, a store that is away: what the server says of it. */
export const problems = messages => messages.map(message => h('p.problem', { role: 'alert' }, message));

export const runAddress = (run, ...more) => ['/runs', encodeURIComponent(run), ...more].join('/');
export const stepAddress = (run, { stage, attempt, step }) => runAddress(run, stage, attempt, step);
