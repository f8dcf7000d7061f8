/** What the page's server answers over a store that a small run made, and what it survives. */
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool, RolloutGroup, ScoredRollouts } from '../../../activities/artifacts/index.js';
import { attemptsOf, entryAt } from '../../../activities/policies/index.js';
import { openStore, readJson, readLines } from '../../../activities/store/index.js';
import { measureTokens } from '../../../infra/proof/measured-tokens.js';
import { type LiveRuns, NO_SERVER } from '../../../infra/ui/live.js';
import type { SmallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';
import { type Json, uiClient } from '../../support/ui-client.js';
import { uiRun } from '../../support/ui-run.js';
import { type ServedUi, serveUi } from '../../support/ui-server.js';

let small: SmallRun;
/** Of the server under test: the run's own, or a copy that a test may damage. */
let root: string;
let live: LiveRuns;
let ui: ServedUi;
let address: string;

beforeAll(async () => {
  small = await uiRun();
});
afterAll(() => small.remove());

beforeEach(() => serve(small.store.root));
afterEach(() => ui.close());

async function serve(store: string): Promise<void> {
  root = store;
  live = NO_SERVER;
  const through: LiveRuns = { states: () => live.states(), of: run => live.of(run) };
  ui = await serveUi({ root, models: small.deps.models, live: through });
  address = ui.address;
}

const { ask, settled } = uiClient(() => address);

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

  test('tokens that were measured again; and where that is damaged, they are shown without', async () => {
    const group = async () => (await ask('/data/runs/run/phase-1/1/2/0/0')).body;
    expect(await group()).toMatchObject({
      ...{ measured: null, problems: [] },
      measure: `npx longhaul tokens run --stage phase-1 --attempt 1 --step 2 --store ${root}`,
    });
    const { record } = (await entryAt(small.store, { run: 'run', stage: 'phase-1', attempt: 1 }, 2))!;
    await measureTokens({ ...small.deps, store: await openStore(root) }, record, unsupervised());
    const { measured, responses } = await group();
    expect(measured).toEqual({ entropy: true, code: expect.any(String) });
    expect(responses[0].tokens[0]).toEqual({
      ...{ text: 'T', logprob: expect.any(Number) },
      ...{ entropy: expect.any(Number), trainer: expect.any(Number) },
    });
    await damage('tokens', 'phase-1.1.2.0.jsonl');
    const without = await group();
    expect(without).toMatchObject({ measured: null, problems: [expect.stringContaining('phase-1.1.2.0.jsonl')] });
    expect(without.responses[0].tokens[0]).toEqual({ text: 'T', logprob: expect.any(Number) });
    expect(ui.logged).toEqual([]);
  });

  test('a stage that was replayed: its attempts in the lineage, the given-up one leading nowhere', async () => {
    await cp(pathOf('phase-2', '1'), pathOf('phase-2', '2'), { recursive: true });
    await rm(pathOf('phase-2', '2', '.sums', 'claim.json'));
    await writeFile(pathOf('phase-2', '2', 'claim.json'), JSON.stringify({ attempt: 2, overrides: {} }));
    const { body } = await ask('/data/runs/run');
    expect(body.stages.at(-1)).toMatchObject({ name: 'phase-2', attempt: 2, givenUp: [1], from: 7, to: 9 });
    expect(body.marks).toEqual([{ place: 7, kind: 'replay', text: expect.stringContaining('attempt 2') }]);
    const { nodes, commands } = (await ask('/data/runs/run/proof')).body;
    expect(commands).toEqual({
      lineage: `npx longhaul lineage POLICY --run run --store ${root}`,
      verify: `npx longhaul verify run --store ${root}`,
    });
    expect(nodes.map(({ stage, attempt, isCurrent }: Json) => [stage, attempt, isCurrent])).toEqual([
      ['warmup', 1, true],
      ['phase-1', 1, true],
      ['phase-2', 1, false],
      ['phase-2', 2, true],
    ]);
    expect(nodes[3].from).toBe(nodes[1].to);
  });

  test('steps of a stage that is closed are counted once, those of an open one each time', async () => {
    await writeFile(pathOf('phase-1', '1', 'steps.jsonl'), '');
    const steps = async () => runIn((await ask('/data/runs')).body).steps;
    expect(await steps()).toBe(9);
    await rename(pathOf('phase-1', '1', 'steps'), pathOf('phase-1', '1', '.away'));
    expect(await steps()).toBe(9);
    await rename(pathOf('phase-2', '1', 'steps', '3'), pathOf('phase-2', '1', '.away'));
    expect(await steps()).toBe(8);
  });

  test('a store without runs', async () => {
    await rm(join(root, 'runs'), { recursive: true });
    await mkdir(join(root, 'runs'));
    expect((await ask('/data/runs')).body.runs).toEqual([]);
  });
});
