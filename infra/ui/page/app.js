/** Looks at the address, asks the server for what it names, and shows it; again every few seconds where that may change. */
import { h, problems } from './dom.js';
import { showRun } from './run.js';
import { showRuns } from './runs.js';
import { showStep } from './step.js';

const REFRESH_MS = 3000;

const segments = location.pathname.split('/').filter(Boolean).map(decodeURIComponent);
const main = document.getElementById('main');

/** Each gives, given the data, the elements to show, and says whether they may still change. */
const PAGES = {
  0: { ask: '/data/runs', show: showRuns, title: [] },
  2: { ask: `/data${location.pathname}`, show: showRun, title: [segments[1]] },
  5: { ask: `/data${location.pathname}`, show: showStep, title: [segments[1], `${segments[2]}, step ${segments[4]}`] },
};

const page = PAGES[segments.length];
document.title = [...page.title].reverse().concat('longhaul').join(' · ');
document
  .getElementById('way')
  .append(
    ...page.title.flatMap((text, k) => [
      h('span.then', { 'aria-hidden': true }, '/'),
      k === 0 ? h('a', { href: `/runs/${encodeURIComponent(segments[1])}` }, text) : h('span', {}, text),
    ]),
  );

let shown = null;
async function refresh() {
  let again = true;
  try {
    const response = await fetch(page.ask);
    const text = await response.text();
    const data = JSON.parse(text);
    if (!response.ok) throw new Error(data.error);
    again = page.show.mayChange(data);
    if (text !== shown) main.replaceChildren(...page.show(data));
    shown = text;
  } catch (error) {
    const message =
      error instanceof TypeError ? 'The server of this page does not answer; trying again.' : error.message;
    main.replaceChildren(...problems([message]));
    shown = null;
  }
  if (again) setTimeout(refresh, REFRESH_MS);
}

void refresh();
