/** The web page's server over a store that a small run made: what it answers, what it refuses, and what it survives. */
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Pool, RolloutGroup, ScoredRollouts } from '../../../activities/artifacts/index.js';
import { attemptsOf, entryAt } from '../../../activities/policies/index.js';
import { readJson, readLines } from '../../../activities/store/index.js';
import type { RunControl } from '../../../infra/ui/control.js';
import { FILES } from '../../../infra/ui/files.js';
import { type LiveRuns, NO_SERVER } from '../../../infra/ui/live.js';
import { UserError } from '../../../infra/user-error.js';
import type { SmallRun } from '../../support/small-run.js';
import { uiRun } from '../../support/ui-run.js';
import { type ServedUi, serveUi, type UiOptions } from '../../support/ui-server.js';

/** Answers as the pages read them: what is asked of them is in the tests. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
type Json = any;

let small: SmallRun;
/** Of the server under test: the run's own, or a copy that a test may damage. */
let root: string;
let live: LiveRuns;
let ui: ServedUi;
let address: string;
const acted: unknown[] = [];
const CONTROL: RunControl = {
  presets: async () => ['small'],
  act: async (action, run, input) => {
    if (action === 'refuse') throw new UserError('it cannot be');
    acted.push([action, run, input]);
    return 'done so';
  },
};

beforeAll(async () => {
  small = await uiRun();
});
afterAll(() => small.remove());

beforeEach(() => serve(small.store.root));
afterEach(() => ui.close());

async function serve(store: string, more: Partial<UiOptions> = {}): Promise<void> {
  root = store;
  live = NO_SERVER;
  const through: LiveRuns = { states: () => live.states(), of: run => live.of(run) };
  ui = await serveUi({ root, models: small.deps.models, live: through, ...more });
  address = ui.address;
}

async function ask(path: string) {
  const response = await fetch(address + path);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

/** As no browser and no fetch would send it. */
function raw(path: string, headers: Record<string, string>, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(address);
    request({ host: '127.0.0.1', port, path, headers, method }, response => {
      let body = '';
      response.on('data', chunk => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    })
      .on('error', reject)
      .end();
  });
}

/** Once all that is read in the background is there. */
async function settled(path: string): Promise<Json> {
  for (let tries = 0; tries < 100; tries++) {
    const { body } = await ask(path);
    if (body.missing === 0) return body;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${path} is still being read`);
}

const pathOf = (...segments: string[]) => join(root, 'runs', 'run', ...segments);

const seriesIn = (body: Json, title: string) => body.curves.find((curve: Json) => curve.title === title);
const valuesAt = ({ x, series }: Json, k: number, places: number[]) =>
  places.map(place => series[k].values[x.indexOf(place)] ?? null);

const runIn = (body: Json) => body.runs.find(({ run }: Json) => run === 'run');

describe('what it answers', () => {
  test('all runs, and of each how far it is', async () => {
    const { status, body } = await ask('/data/runs');
    expect(status).toBe(200);
    expect(body.note).toBeNull();
    expect(body.runs).toHaveLength(1);
    expect(runIn(body)).toMatchObject({
      state: 'unfinished',
      stage: { name: 'phase-2', steps: 3, planned: 3 },
      steps: 9,
      scores: [{ policy: 'final', set: 'held-out', score: 60 }],
      problems: [],
    });
  });

  test("a run's curves, a number a step as the redo log has them, over all stages", async () => {
    const { body } = await ask('/data/runs/run');
    expect(body.stages).toEqual([
      { name: 'warmup', attempt: 1, planned: 3, band: null, from: 1, to: 3, givenUp: [] },
      { name: 'phase-1', attempt: 1, planned: 3, band: { above: 0, upTo: 40 }, from: 4, to: 6, givenUp: [] },
      { name: 'phase-2', attempt: 1, planned: 3, band: { above: 40, upTo: 60 }, from: 7, to: 9, givenUp: [] },
    ]);
    const records = [];
    for (const stage of await attemptsOf(small.store, 'run')) {
      for (let step = 1; ; step++) {
        const entry = await entryAt(small.store, stage, step);
        if (!entry) break;
        records.push(entry.record);
      }
    }
    const places = records.map((_, k) => k + 1);
    const reward = seriesIn(body, 'Reward');
    expect(valuesAt(reward, 0, places)).toEqual(records.map(({ counts }) => counts?.meanReward ?? null));
    const groups = seriesIn(body, 'Groups');
    expect(groups.series.map(({ label }: Json) => label)).toEqual(['effective', 'carried', 'drawn']);
    expect(valuesAt(groups, 1, places)).toEqual(records.map(({ counts }) => counts?.carriedEffective ?? null));
    const lossOf = (metrics: readonly { loss: number }[]) => metrics.reduce((sum, { loss }) => sum + loss, 0);
    expect(valuesAt(seriesIn(body, 'Loss'), 0, places)).toEqual(
      records.map(({ metrics }) => (metrics.length === 0 ? null : lossOf(metrics) / metrics.length)),
    );
    const rates = records.map(({ inputs }) => inputs.settings.optimizer.learningRate);
    expect(valuesAt(seriesIn(body, 'Learning rate'), 0, places)).toEqual(rates);
  });

  test('what the log does not say: lengths, truncation and times, as soon as the rollouts are read', async () => {
    const body = await settled('/data/runs/run');
    const stage = { run: 'run', stage: 'phase-1', attempt: 1 };
    const { record } = (await entryAt(small.store, stage, 2))!;
    const lengths: number[] = [];
    let cut = 0;
    for (const { rollouts } of record.inputs.rounds) {
      for (const { responses } of await readLines<RolloutGroup>(small.store, rollouts)) {
        lengths.push(...responses.map(({ ids }) => ids.length));
        cut += responses.filter(({ finish }) => finish === 'length').length;
      }
    }
    const place = 5;
    const length = seriesIn(body, 'Response length');
    expect(valuesAt(length, 0, [place])[0]).toBeCloseTo(lengths.reduce((a, b) => a + b, 0) / lengths.length, 9);
    expect(valuesAt(length, 1, [place])).toEqual([Math.max(...lengths)]);
    expect(valuesAt(seriesIn(body, 'Truncated share'), 0, [place])[0]).toBeCloseTo(cut / lengths.length, 9);
    const seconds = seriesIn(body, 'Seconds a step');
    for (const { values } of seconds.series) {
      for (const value of values) if (value !== null) expect(value).toBeGreaterThanOrEqual(0);
    }
    expect(body.times.map(({ place }: Json) => place)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('the curves as a table, a line a step', async () => {
    await settled('/data/runs/run');
    const response = await fetch(`${address}/data/runs/run/curves.csv`);
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="run.csv"');
    const [head, ...lines] = (await response.text()).trim().split('\r\n');
    expect(head).toMatch(/^stage,attempt,step,logged,Reward: reward,/);
    expect(lines.map(line => line.split(',').slice(0, 3).join(' '))).toEqual(
      ['warmup', 'phase-1', 'phase-2'].flatMap(stage => [1, 2, 3].map(step => `${stage} 1 ${step}`)),
    );
  });

  test('pages kept up to date: what is shown, and nothing more until it changes', async () => {
    await settled('/data/runs/run');
    const response = await fetch(`${address}/live/runs/run`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let said = '';
    while (!said.includes('\n\nevent: page') && !/event: page\n.*\n\n/.test(said)) said += (await reader.read()).value;
    const [, data] = /^event: page\ndata: (.*)$/m.exec(said)!;
    expect(JSON.parse(data!)).toEqual((await ask('/data/runs/run')).body);
    const more = await Promise.race([reader.read(), new Promise(resolve => setTimeout(resolve, 2000, 'nothing'))]);
    expect(more).toBe('nothing');
    await reader.cancel();
  });

  test('what each phase draws from, carried over and drew', async () => {
    const body = await settled('/data/runs/run/curriculum');
    const [first, second] = body.phases;
    expect(first.pool).toMatchObject({ carried: 0, named: [] });
    const pool = await readJson<Pool>(small.store, (await small.store.find('store:runs/run/pools/phase-2.json'))!);
    const carried = pool.entries.filter(({ origin }) => origin === 'carried');
    expect(carried.length).toBeGreaterThan(0);
    expect(second.pool).toMatchObject({ band: pool.counts.band, carried: carried.length });
    expect(second.pool.named.map(({ id }: Json) => id).sort()).toEqual(
      [...new Set(carried.map(({ id }) => id))].sort(),
    );
    const step = await ask('/data/runs/run/phase-2/1/1');
    expect(second.draws.total).toBeGreaterThanOrEqual(step.body.groups.length);
    const question = await settled(`/data/runs/run/questions/${step.body.groups[0].index}`);
    expect(question.draws).toContainEqual(expect.objectContaining({ stage: 'phase-2', step: 1, round: 0, line: 0 }));
  });

  test('two policies: how much better one is, and item by item', async () => {
    const { body } = await ask('/data/runs/run/evaluations/differences?a=sft&b=final');
    expect(body.comparisons).toEqual([
      expect.objectContaining({ benchmark: 'held-out', kind: 'paired', items: 5, difference: 40 }),
    ]);
    const items = await ask('/data/runs/run/evaluations/items?set=held-out&a=sft&b=final');
    expect(items.body.items.map(({ outcome }: Json) => outcome)).toEqual(['same', 'won', 'won', 'same', 'same']);
    const one = await ask('/data/runs/run/evaluations/items?set=held-out&a=sft&b=final&item=item-1');
    expect([one.body.a.answers[0].text, one.body.b.answers[0].text]).toEqual([
      'Therefore, the answer is B.',
      'Therefore, the answer is A.',
    ]);
  });

  test("a step's groups, and of each the prompt, the responses and why they are worth what they are", async () => {
    const { body: step } = await ask('/data/runs/run/phase-1/1/2');
    const stage = { run: 'run', stage: 'phase-1', attempt: 1 };
    const { record } = (await entryAt(small.store, stage, 2))!;
    const round = record.inputs.rounds[0]!;
    const rollouts = await readLines<RolloutGroup>(small.store, round.rollouts);
    const scores = await readLines<ScoredRollouts>(small.store, round.scores);
    expect([step.previous, step.next]).toEqual([1, 3]);
    expect(step.groups).toHaveLength(record.counts!.drawn);
    expect(step.groups.filter(({ isTrained }: { isTrained: boolean }) => isTrained)).toHaveLength(
      record.counts!.trained,
    );
    expect(step.groups[0].rewards).toEqual(scores[0]!.responses.map(({ reward }) => reward));

    const { body: group } = await ask('/data/runs/run/phase-1/1/2/0/0');
    expect(group.prompt.map(({ text }: Json) => text).join('')).toBe(String.fromCharCode(...rollouts[0]!.promptIds));
    expect([group.golds, group.question]).toEqual([['A'], expect.stringMatching(/^\d\d\?$/)]);
    expect(group.responses).toHaveLength(4);
    for (const [k, response] of group.responses.entries()) {
      const { ids, logprobs, finish } = rollouts[0]!.responses[k]!;
      expect(response).toMatchObject({ ...scores[0]!.responses[k], finish, length: ids.length });
      expect(response.tokens).toEqual(ids.map((id, t) => ({ text: String.fromCharCode(id), logprob: logprobs[t] })));
    }
    // Among themselves advantages sum to nothing, and follow the rewards.
    const advantages: number[] = group.responses.map(({ advantage }: { advantage: number }) => advantage);
    expect(advantages.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 9);
    const best = group.responses.reduce((a: Json, b: Json) => (b.reward > a.reward ? b : a));
    expect(best.advantage).toBe(Math.max(...advantages));
  });

  test('what only a server knows, and that none answers', async () => {
    live = {
      states: async () => ({ states: new Map([['run', 'running']]), note: null }),
      of: async () => ({ state: 'running', progress: null, note: 'No worker answers for the run at the moment.' }),
    };
    expect(runIn((await ask('/data/runs')).body).state).toBe('running');
    const { body } = await ask('/data/runs/run');
    expect(body.scores).toEqual([
      { policy: 'sft', set: 'held-out', items: 5, score: 20, low: 11.8, high: 88.2, meanPromptTokens: 38 },
      { policy: 'final', set: 'held-out', items: 5, score: 60, low: 11.8, high: 88.2, meanPromptTokens: 38 },
    ]);
    expect([body.state, body.now.note]).toEqual(['running', 'No worker answers for the run at the moment.']);
  });

  test('the same again is not sent again', async () => {
    await settled('/data/runs/run');
    const first = await fetch(`${address}/data/runs/run`);
    const etag = first.headers.get('etag')!;
    const second = await fetch(`${address}/data/runs/run`, { headers: { 'if-none-match': etag } });
    expect([first.status, second.status, await second.text()]).toEqual([200, 304, '']);
  });

  test.each(['/', '/runs/run', '/runs/run/phase-1/1/2'])('the document at %s, which has no script within', async at => {
    const response = await fetch(address + at);
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).not.toMatch(/<script(?![^>]* src="\/page\/)|<style|\son\w+=|style=/);
  });
});

describe('what it refuses', () => {
  test.each([
    ['another name', { host: 'evil.example' }],
    ['another name with our port', { host: 'localhost.evil.example:80' }],
    ['a page of another site', { host: 'localhost', origin: 'https://evil.example' }],
    ['a page of no site', { host: 'localhost', origin: 'null' }],
    ['a host that is none', { host: 'localhost/..' }],
    ['a host with a user', { host: 'evil@localhost' }],
  ])('%s', async (_, headers) => {
    for (const path of ['/', '/data/runs', '/live/runs', '/page/app.js'])
      expect((await raw(path, headers)).status).toBe(403);
  });

  test.each(['localhost', 'localhost:1', '127.0.0.1:80', '[::1]:80', 'box.example:9'])('but not %s', async host => {
    expect((await raw('/data/runs', { host, origin: `http://${host}` })).status).toBe(200);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s', async method => {
    expect((await raw('/data/runs', { host: 'localhost' }, method)).status).toBe(405);
  });

  test.each([
    ['/../../package.json', 404],
    ['/page/../server.ts', 404],
    ['/page/..%2fserver.ts', 404],
    ['/page/%2e%2e/server.ts', 404],
    ['/page/constructor', 404],
    ['/data/runs/..%2f..%2fetc', 400],
    ['/data/runs/%2e%2e%2f', 400],
    ['/data/runs/run/..%2f..%2frun/1/1', 400],
    ['/data/runs/.sums', 400],
    ['/data/runs/run/phase-1/1/../../../spec.json', 404],
    ['/data/runs/run/phase-1/1/-1', 404],
    ['/data/runs/run/phase-1/1/1e3', 404],
    ['/data/runs/run/phase-1/1/99', 404],
    ['/data/runs/run/phase-1/1/1/0/99', 404],
    ['/data/runs/run/phase-1', 404],
    ['/data/runs/another', 404],
    ['/data/other', 404],
    ['/data/compare?run=run', 400],
    ['/data/compare?run=run&run=..%2f', 400],
    ['/data/compare?run=run&run=another', 404],
    ['/data/runs/run/questions/9999', 404],
    ['/data/runs/run/evaluations/differences', 400],
    ['/data/runs/run/evaluations/differences?a=final&b=none', 400],
    ['/data/runs/run/evaluations/items?set=..%2f&a=final&b=final', 400],
    ['/data/evaluations/none', 404],
    ['/data/runs/another/proof', 404],
    ['/data/runs/another/curriculum', 404],
    ['/data', 404],
    ['/%ff', 400],
  ])('%s: %i, with a reason', async (path, status) => {
    const answer = await raw(path, { host: 'localhost' });
    expect(answer).toMatchObject({ status, body: expect.stringContaining('"error"') });
    expect(ui.logged).toEqual([]);
  });

  test('scripts from elsewhere, frames and guesses of types, in every answer', async () => {
    for (const path of ['/', '/data/runs', '/page/app.js', '/nothing']) {
      const { headers } = await fetch(address + path);
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
  });
});

describe('what may be done', () => {
  const post = (path: string, headers: Record<string, string> = {}, body = '{}') =>
    fetch(address + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  beforeEach(async () => {
    ui.close();
    acted.length = 0;
    await serve(small.store.root, { control: CONTROL });
  });

  test('with the token: what it says is done, and what cannot be is said', async () => {
    const mine = { 'x-longhaul-token': ui.token };
    const answer = await post('/control/run/replay', mine, '{"phase":1}');
    expect([answer.status, await answer.json()]).toEqual([200, { said: 'done so' }]);
    expect((await post('/control/start', mine, '{"preset":"small"}')).status).toBe(200);
    expect(acted).toEqual([
      ['replay', 'run', { phase: 1 }],
      ['start', null, { preset: 'small' }],
    ]);
    const refused = await post('/control/run/refuse', mine);
    expect([refused.status, await refused.json()]).toEqual([409, { error: 'it cannot be' }]);
  });

  test.each([
    ['no token', {}, 403],
    ['another token', { 'x-longhaul-token': 'a'.repeat(32) }, 403],
    ['a page of another site', { 'x-longhaul-token': '', origin: 'https://evil.example' }, 403],
    ['a form, as any page may send', { 'x-longhaul-token': '', 'content-type': 'text/plain' }, 400],
  ])('but nothing by %s', async (_, headers: Record<string, string>, status) => {
    const mine = headers['x-longhaul-token'] === '' ? { 'x-longhaul-token': ui.token } : {};
    expect((await post('/control/run/pause', { ...headers, ...mine })).status).toBe(status);
    expect(acted).toEqual([]);
  });

  test('nor by what is no JSON, or too much of it', async () => {
    const mine = { 'x-longhaul-token': ui.token };
    expect((await post('/control/run/pause', mine, '{')).status).toBe(400);
    expect((await post('/control/run/pause', mine, `"${'a'.repeat(70_000)}"`)).status).toBe(400);
    expect((await post('/control/a/b/c', mine)).status).toBe(404);
    expect(acted).toEqual([]);
  });
});

test('without --control nothing may be done, whatever is brought', async () => {
  const headers = { 'content-type': 'application/json', 'x-longhaul-token': ui.token };
  const answer = await fetch(`${address}/control/run/pause`, { method: 'POST', headers, body: '{}' });
  expect([answer.status, await answer.json()]).toEqual([400, { error: expect.stringContaining('--control') }]);
  expect(acted).toEqual([]);
});

describe('what it survives', () => {
  beforeEach(async () => {
    ui.close();
    const copy = join(small.folder, 'copy');
    await rm(copy, { recursive: true, force: true });
    await cp(small.store.root, copy, { recursive: true });
    await serve(copy);
  });

  const damage = async (...file: string[]) => {
    const path = pathOf(...file);
    const bytes = await readFile(path);
    bytes[20]! ^= 1;
    await writeFile(path, bytes);
  };

  test('a damaged step: said, the others shown, and nothing in the store moved', async () => {
    await damage('phase-1', '1', 'steps', '2', 'update.json');
    const before = await readdir(pathOf('phase-1', '1', 'steps', '2'));
    const { status, body } = await ask('/data/runs/run');
    expect(status).toBe(200);
    expect(body.problems).toEqual([expect.stringMatching(/phase-1\/1\/steps\/2\/update\.json is damaged/)]);
    expect(seriesIn(body, 'Loss').x).toEqual([1, 2, 3, 4, 6, 7, 8, 9]);
    const step = await ask('/data/runs/run/phase-1/1/2');
    expect(step).toMatchObject({ status: 500, body: { error: expect.stringContaining('is damaged') } });
    expect(await readdir(pathOf('phase-1', '1', 'steps', '2'))).toEqual(before);
    expect(ui.logged).toEqual([]);
  });

  test('damaged scores of a step, and a damaged spec of a run', async () => {
    await damage('phase-1', '1', 'steps', '2', 'scores-0.jsonl');
    await damage('spec.json');
    expect((await ask('/data/runs/run/phase-1/1/2')).body.error).toContain('scores-0.jsonl is damaged');
    const { body } = await ask('/data/runs');
    expect(runIn(body).problems).toEqual([expect.stringContaining('spec.json is damaged')]);
  });

  test('a store that goes away and comes back', async () => {
    expect((await ask('/data/runs')).status).toBe(200);
    await rename(root, `${root}-away`);
    expect(await ask('/data/runs')).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('no longer') },
    });
    await rename(`${root}-away`, root);
    expect((await ask('/data/runs')).status).toBe(200);
  });

  test('a run that has only begun: every page of it says so, and none fails', async () => {
    await cp(pathOf('spec.json'), join(root, 'runs', 'begun', 'spec.json'));
    for (const page of ['', '/curriculum', '/evaluations', '/proof', '/curves.csv']) {
      expect([page, (await fetch(`${address}/data/runs/begun${page}`)).status]).toEqual([page, 200]);
    }
    const { body } = await ask('/data/runs/begun');
    expect([body.stages, body.curves, body.scores]).toEqual([[], [], []]);
    expect((await ask('/data/runs/begun/proof')).body).toMatchObject({ base: null, nodes: [] });
    expect((await ask('/data/compare?run=run&run=begun')).status).toBe(200);
    expect((await ask('/data/compare/differences?run=run&run=begun')).body.rows).toHaveLength(1);
    expect(ui.logged).toEqual([]);
  });

  test('a damaged pool, difficulty, evaluation and data: each is said where it is missed', async () => {
    await damage('pools', 'phase-2.json');
    expect((await ask('/data/runs/run/curriculum')).body.problems).toEqual([expect.stringContaining('phase-2.json')]);
    await damage('evaluations', 'final.held-out.abababab.json');
    const { body } = await ask('/data/runs/run/evaluations');
    expect(body.problems).toEqual([expect.stringContaining('final.held-out')]);
    expect(body.rows.map(({ policy }: Json) => policy)).toEqual(['sft']);
    expect((await ask('/data/runs/run/evaluations/differences?a=sft&b=final')).status).toBe(500);
    await damage('data', 'train.jsonl');
    const group = (await ask('/data/runs/run/phase-1/1/2/0/0')).body;
    expect([group.problems, group.golds]).toEqual([[expect.stringContaining('train.jsonl')], []]);
    expect(group.responses).toHaveLength(4);
    expect(ui.logged).toEqual([]);
  });

  test('a stage that was replayed: its attempts in the lineage, the given-up one leading nowhere', async () => {
    await cp(pathOf('phase-2', '1'), pathOf('phase-2', '2'), { recursive: true });
    await rm(pathOf('phase-2', '2', '.sums', 'claim.json'));
    await writeFile(pathOf('phase-2', '2', 'claim.json'), JSON.stringify({ attempt: 2, overrides: {} }));
    const { body } = await ask('/data/runs/run');
    expect(body.stages.at(-1)).toMatchObject({ name: 'phase-2', attempt: 2, givenUp: [1], from: 7, to: 9 });
    expect(body.marks).toEqual([{ place: 7, kind: 'replay', text: expect.stringContaining('attempt 2') }]);
    const { nodes } = (await ask('/data/runs/run/proof')).body;
    expect(nodes.map(({ stage, attempt, isCurrent }: Json) => [stage, attempt, isCurrent])).toEqual([
      ['warmup', 1, true],
      ['phase-1', 1, true],
      ['phase-2', 1, false],
      ['phase-2', 2, true],
    ]);
    expect(nodes[3].from).toBe(nodes[1].to);
  });

  test('a store without runs', async () => {
    await rm(join(root, 'runs'), { recursive: true });
    await mkdir(join(root, 'runs'));
    expect((await ask('/data/runs')).body.runs).toEqual([]);
  });
});

describe('the page', () => {
  const scripts = Object.entries(FILES).filter(([name]) => name.endsWith('.js'));
  const styles = Object.entries(FILES).filter(([name]) => name.endsWith('.css'));

  test.each(Object.keys(FILES))('%s is served', async name => {
    const response = await fetch(`${address}/page/${name}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(await readFile(FILES[name]!, 'utf8'));
  });

  test('all its files are served, and the document asks for no others', async () => {
    const names = (await readdir(join(__dirname, '../../../infra/ui/page'))).filter(name => name !== 'index.html');
    expect(Object.keys(FILES)).toEqual(expect.arrayContaining(names));
    const text = await (await fetch(`${address}/`)).text();
    const asked = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, at]) => at!);
    for (const at of asked) expect((await fetch(address + at)).status).toBe(200);
  });

  test('its scripts and styles are at most 200 kB, compressed', async () => {
    const texts = await Promise.all([...scripts, ...styles].map(([, file]) => readFile(file)));
    expect(texts.reduce((sum, text) => sum + gzipSync(text).length, 0)).toBeLessThanOrEqual(200_000);
  });

  test('never takes text for markup', async () => {
    for (const [name, file] of scripts.filter(([name]) => name !== 'uplot.js')) {
      const text = await readFile(file, 'utf8');
      const found = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment/.exec(
        text,
      );
      expect([name, found]).toEqual([name, null]);
    }
  });
});
