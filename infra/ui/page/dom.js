/** Elements made from values. Text is always text: what a model or a document says never becomes markup. */

/**
 * @param {string} tag with classes, e.g. 'p.quiet'
 * @param {Record<string, unknown>} attributes functions become listeners (`onclick`), false and null are left out
 * @param {...unknown} children nodes, lists of them, or text; null, undefined and false are left out
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (key.startsWith('aria-')) element.setAttribute(key, String(value));
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null) element.setAttribute(key, String(value));
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

/** A button that is on or off. */
export function toggle(label, isOn, onchange) {
  const button = h('button.toggle', { type: 'button', 'aria-pressed': isOn }, label);
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

/** Up to four digits that matter. */
export function number(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0 || Number.isInteger(value)) return value.toLocaleString('en-US');
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? '' : 's'}`;

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

/** Damaged artifacts, a store that is away: what the server says of it. */
export const problems = messages => messages.map(message => h('p.problem', { role: 'alert' }, message));
