/** The page in a real browser: every page in both colour schemes, narrow and wide, by keyboard, live, and under control. */
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { entryAt } from '../../../activities/policies/index.js';
import { openStore } from '../../../activities/store/index.js';
import { measureTokens } from '../../../infra/proof/measured-tokens.js';
import type { RunControl } from '../../../infra/ui/control.js';
import { chromiumProgram, launch } from '../../support/chromium.js';
import type { SmallRun } from '../../support/small-run.js';
import { StudyBench } from '../../support/small-study.js';
import { unsupervised } from '../../support/supervision.js';
import { uiRun } from '../../support/ui-run.js';
import { type ServedUi, serveUi, type UiOptions } from '../../support/ui-server.js';

const HTML = '<img src=x onerror="window.taken=true"><b>bold</b>';

const program = chromiumProgram();
const inBrowser = program === null ? describe.skip : describe;
if (program === null) {
  test.skip('needs a Chromium: apt-get install chromium, or CHROMIUM=/path/to/it', () => {});
}

let small: SmallRun;
let browser: Browser;
let context: BrowserContext;
let ui: ServedUi;
/** What the browser complained of. */
let complaints: string[];

beforeAll(async () => {
  if (program === null) return;
  small = await uiRun();
  await addStudy(small.store.root);
  browser = await launch(program);
});
afterAll(async () => {
  await browser?.close();
  await small?.remove();
});
afterEach(async () => {
  await context?.close();
  ui?.close();
});

/** Two variants of two seeds, in the same store. */
async function addStudy(root: string): Promise<void> {
  const bench = await StudyBench.start();
  await (await bench.begin('trial', bench.studyOf())).result();
  for (const folder of ['runs', 'studies', 'shared'])
    await cp(join(bench.small.store.root, folder), join(root, folder), { recursive: true });
  await bench.stop();
}

/** In what was opened already: a server and a page of their own for each would take most of the time. */
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(ui.address + path);
  await page.waitForSelector('main h1, main .problem');
}

async function open(path: string, options: BrowserContextOptions = {}, served: Partial<UiOptions> = {}): Promise<Page> {
  ui = await serveUi({ root: small.store.root, models: small.deps.models, ...served });
  context = await browser.newContext(options);
  const page = await context.newPage();
  complaints = [];
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(error.message));
  await page.goto(ui.address + path);
  await page.waitForSelector('main h1, main .problem');
  return page;
}

/** As the command does. */
async function measureStep(root: string): Promise<void> {
  const { record } = (await entryAt(small.store, { run: 'run', stage: 'phase-1', attempt: 1 }, 2))!;
  await measureTokens({ ...small.deps, store: await openStore(root) }, record, unsupervised());
}

const PAGES: [path: string, heading: string, shows: string][] = [
  ['/', 'Runs', 'phase-2'],
  ['/runs/run', 'run', 'Score by policy and length'],
  ['/runs/run/curriculum', 'Curriculum', 'How often samples were drawn'],
  ['/runs/run/evaluations?a=sft&b=final', 'Evaluations', 'final against sft, item by item'],
  ['/runs/run/proof', 'Proof', 'npx longhaul verify run'],
  ['/runs/run/phase-1/1/2', 'phase-1, step 2', 'trained on'],
  ['/runs/run/questions/3', 's3', 'prompt of'],
  ['/evaluations', 'Evaluations', 'Of runs'],
  ['/studies', 'Studies', 'runs that have ended'],
  ['/studies/trial', 'trial', 'SHA-256 of the final weights'],
];

jest.setTimeout(120_000);

inBrowser('every page', () => {
  test('dark and light, wide and narrow', async () => {
    const page = await open('/');
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    for (const [path, heading, shows] of PAGES) {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1280, height: 900 });
      await visit(page, path);
      await page.getByText(shows).first().waitFor();
      expect([path, await page.textContent('h1')]).toEqual([path, heading]);
      const light = await ground();
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await ground()).not.toBe(light);
      await page.setViewportSize({ width: 400, height: 800 });
      // What is wider scrolls within itself, the page does not.
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 400]);
      expect([path, complaints, ui.logged]).toEqual([path, [], []]);
    }
  });

  test('two runs compared', async () => {
    const copy = join(small.folder, 'two');
    await cp(small.store.root, copy, { recursive: true });
    await cp(join(copy, 'runs', 'run'), join(copy, 'runs', 'other'), { recursive: true });
    const page = await open('/', {}, { root: copy });
    for (const run of ['run', 'other']) await page.getByLabel(`Compare ${run}`).check();
    await page.getByText('Compare 2 runs', { exact: true }).click();
    await page.getByText('They say the same.').first().waitFor();
    await page.getByText('within the noise').first().waitFor();
    await page.locator('.chart').nth(5).waitFor();
    expect(complaints).toEqual([]);
  });

  test('an address without a page says so', async () => {
    const page = await open('/runs/another');
    expect(await page.textContent('.problem')).toContain('has no run "another"');
  });
});

inBrowser('a run', () => {
  test('its curves: smoothed, on a log scale, by time, opened by a click', async () => {
    const page = await open('/runs/run');
    await page.getByText('Response length').first().waitFor();
    for (const name of ['Smooth', 'Log scale', 'By time', 'By step', 'Log scale', 'Smooth']) {
      await page.getByRole('button', { name, exact: true }).click();
    }
    const plot = page.locator('.chart', { hasText: 'Reward' }).first().locator('.u-over');
    const box = (await plot.boundingBox())!;
    await plot.click({ position: { x: box.width - 3, y: box.height / 2 } });
    await page.waitForURL('**/runs/run/phase-2/1/3');
    expect(complaints).toEqual([]);
  });

  test('a curve to take away', async () => {
    const page = await open('/runs/run');
    const kinds: [string, RegExp][] = [
      ['csv', /^step,reward/],
      ['svg', /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/],
      ['png', /^.PNG/],
    ];
    for (const [kind, begins] of kinds) {
      await page.getByLabel('Save Reward', { exact: true }).click();
      const item = page.locator('.menu[open]').getByText(kind.toUpperCase(), { exact: true });
      const [download] = await Promise.all([page.waitForEvent('download'), item.click()]);
      expect(download.suggestedFilename()).toBe(`reward.${kind}`);
      expect((await readFile(await download.path())).toString('latin1')).toMatch(begins);
    }
    expect(complaints).toEqual([]);
  });

  test('a step that is logged meanwhile appears without a reload', async () => {
    const copy = join(small.folder, 'live');
    await cp(small.store.root, copy, { recursive: true });
    const steps = join(copy, 'runs', 'run', 'phase-2', '1', 'steps');
    const away = join(copy, '.work');
    await mkdir(away, { recursive: true });
    await rename(join(steps, '3'), join(away, '3'));
    const page = await open('/runs/run', {}, { root: copy });
    await page.getByText('2 of 3 steps').waitFor();
    await rename(join(away, '3'), join(steps, '3'));
    await page.getByText('2 of 3 steps').waitFor({ state: 'detached' });
    await page.getByText('3 of 3 steps').nth(2).waitFor();
  });

  test('a store that goes away, and comes back', async () => {
    const copy = join(small.folder, 'away');
    await rm(copy, { recursive: true, force: true });
    await cp(small.store.root, copy, { recursive: true });
    const page = await open('/runs/run', {}, { root: copy });
    await rename(copy, `${copy}-gone`);
    await page.getByText('no longer').first().waitFor();
    await rename(`${copy}-gone`, copy);
    await page.getByRole('heading', { name: 'Score by policy and length' }).waitFor();
    expect(ui.logged).toEqual([]);
  });
});

inBrowser('a step', () => {
  test('groups filtered, unfolded, and on to the next by the keyboard', async () => {
    const page = await open('/runs/run/phase-1/1/1');
    await page.locator('.response').first().waitFor();
    const all = await page.locator('.item').count();
    await page.getByRole('button', { name: 'Trained on' }).click();
    expect(await page.locator('.item').count()).toBeLessThan(all);
    const last = page.locator('.item').last();
    await last.locator('summary').first().focus();
    await page.keyboard.press('Enter');
    await last.locator('.response').first().waitFor();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL('**/phase-1/1/2');
    expect(complaints).toEqual([]);
  });

  test('tokens coloured by what was measured of them', async () => {
    const copy = join(small.folder, 'measured');
    await cp(small.store.root, copy, { recursive: true });
    const page = await open('/runs/run/phase-1/1/2', {}, { root: copy });
    const colouring = page.getByLabel('Colour tokens by');
    const group = page.locator('.item[open]');
    await colouring.selectOption('entropy');
    await group
      .locator('.note-entropy')
      .getByText('npx longhaul tokens run --stage phase-1 --attempt 1 --step 2')
      .waitFor();
    await measureStep(copy);
    await page.reload();
    const token = group.locator('.token').first();
    const seen = new Set<unknown>();
    for (const [by, legend] of [
      ['logprob', 'The less likely a token was'],
      ['entropy', 'The less the policy had decided'],
      ['gap', 'of sampler and trainer are apart'],
      ['none', null],
    ] as const) {
      await colouring.selectOption(by);
      if (legend !== null) await group.locator(`.note-${by}`).getByText(legend).waitFor();
      seen.add(await page.evaluate("getComputedStyle(document.querySelector('.item[open] .token')).backgroundColor"));
    }
    expect(seen.size).toBe(4);
    expect(await token.getAttribute('title')).toMatch(
      /^log-probability .*, probability .* %; entropy .* nats; trainer’s log-probability .*, .* apart$/,
    );
    expect(complaints).toEqual([]);
  });

  test('the same question in other steps', async () => {
    const page = await open('/runs/run/phase-1/1/1');
    await page.locator('.question a').first().click();
    await page.waitForURL('**/questions/*');
    await page.locator('table a').first().click();
    await page.waitForURL('**/phase-1/1/*group=*');
    await page.locator('.item[open] .response').first().waitFor();
  });

  test('the keyboard alone: to the content, and along what can be done', async () => {
    const page = await open('/');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    const seen = new Set<string>();
    for (let k = 0; k < 6; k++) {
      await page.keyboard.press('Tab');
      seen.add(String(await page.evaluate('document.activeElement.tagName + (document.activeElement.name ?? "")')));
    }
    expect([...seen]).toEqual(expect.arrayContaining([expect.stringMatching(/^INPUT./), 'A']));
  });
});

inBrowser('text is never taken for markup', () => {
  const marked = (value: unknown, key = ''): unknown => {
    // What the page goes by is left as it is.
    if (['part', 'kind', 'state', 'outcome', 'finish', 'stage', 'set', 'a', 'b', 'dropped', 'origin'].includes(key))
      return value;
    if (typeof value === 'string') return HTML;
    if (Array.isArray(value)) return value.map(one => marked(one, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, marked(one, name)]));
  };

  test('every page with HTML in every text', async () => {
    const page = await open('/');
    // What is told later would be without marks.
    await page.addInitScript('window.EventSource = class { addEventListener() {} close() {} }');
    await page.route('**/data/**', async route => {
      const response = await route.fetch();
      await route.fulfill({ response, json: marked(await response.json()) });
    });
    for (const [path] of PAGES) {
      await page.goto(ui.address + path);
      await page.getByText(HTML).first().waitFor({ state: 'attached' });
      expect([path, await page.locator('main img').count()]).toEqual([path, 0]);
      expect(await page.evaluate('window.taken')).toBeUndefined();
    }
  });
});

inBrowser('with --control', () => {
  const acted: unknown[] = [];
  const control: RunControl = {
    presets: async () => ['small', 'tiny'],
    act: async (...args) => {
      acted.push(args);
      return 'It is done.';
    },
  };
  const live = {
    states: async () => ({ states: new Map([['run', 'running']]), note: null }),
    of: async () => ({ state: 'running', progress: null, note: null }),
  };
  beforeEach(() => {
    acted.length = 0;
  });

  test('the token leaves the address, and with it runs are started and paused', async () => {
    const page = await open('/', {}, { control, live });
    await page.goto(`${ui.address}/#token=${ui.token}`);
    await page.reload();
    expect(page.url()).toBe(`${ui.address}/`);
    await page.getByLabel('Preset').selectOption('small');
    await page.getByLabel('Name of the run').fill('mine');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('It is done.').waitFor();
    await page.goto(`${ui.address}/runs/run`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('It is done.').waitFor();
    expect(acted).toEqual([
      ['start', null, { preset: 'small', name: 'mine' }],
      ['pause', 'run', null],
    ]);
  });

  test('an answer is shown where the page was drawn anew before it came', async () => {
    let note: string | null = null;
    let answer = (_: string) => {};
    const page = await open(
      '/',
      {},
      {
        live: { ...live, of: async () => ({ state: 'running', progress: null, note }) },
        control: { ...control, act: () => new Promise(resolve => (answer = resolve)) },
      },
    );
    await page.goto(`${ui.address}/#token=${ui.token}`);
    await page.reload();
    await page.goto(`${ui.address}/runs/run`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('…', { exact: true }).waitFor();
    note = 'Drawn anew.';
    await page.getByText(note).waitFor();
    answer('It is done.');
    await page.getByText('It is done.').waitFor();
  });

  test('tokens are measured by a button, and the group coloured anew', async () => {
    const copy = join(small.folder, 'measured-now');
    await cp(small.store.root, copy, { recursive: true });
    const measuring: RunControl = {
      ...control,
      act: async (...args) => {
        acted.push(args);
        await measureStep(copy);
        return 'They are measured.';
      },
    };
    const page = await open('/', {}, { control: measuring, root: copy });
    await page.goto(`${ui.address}/#token=${ui.token}`);
    await page.reload();
    await visit(page, '/runs/run/phase-1/1/2');
    const group = page.locator('.item[open]');
    await page.getByLabel('Colour tokens by').selectOption('gap');
    await group.locator('.note-gap').getByRole('button', { name: 'Measure now' }).click();
    await group.locator('.note-gap').getByText('of sampler and trainer are apart').waitFor();
    expect(acted).toEqual([['measure', 'run', { stage: 'phase-1', attempt: 1, step: 2 }]]);
  });

  test('without the token nothing is offered', async () => {
    const page = await open('/runs/run', {}, { control, live });
    await page.getByRole('heading', { name: 'Curves' }).waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
  });
});
