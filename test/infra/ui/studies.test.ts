/** What the page's server answers of a study: while it is under way, when it has ended, and when it has grown. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { validateStudy } from '../../../activities/spec/index.js';
import { jsonText } from '../../../activities/store/index.js';
import { studySpecUri } from '../../../activities/studies/places.js';
import { StudyBench } from '../../support/small-study.js';
import { uiClient } from '../../support/ui-client.js';
import { type ServedUi, serveUi } from '../../support/ui-server.js';

jest.setTimeout(120_000);

let bench: StudyBench;
let ui: ServedUi;
const { ask } = uiClient(() => ui.address);

beforeAll(async () => {
  bench = await StudyBench.start();
  await (await bench.begin('trial', bench.studyOf())).result();
});
afterAll(() => bench?.stop());
beforeEach(async () => {
  ui = await serveUi({ root: bench.small.store.root, models: bench.small.deps.models });
});
afterEach(() => ui.close());

test('all studies, and how far each is', async () => {
  expect(await ask('/data/studies')).toMatchObject({
    status: 200,
    body: {
      studies: [{ name: 'trial', variants: 2, seeds: 2, hypotheses: 1, ended: 4, runs: 4 }],
      problems: [],
    },
  });
});

test('its report: what is claimed, scores, curves, and the runs with their weights', async () => {
  const { body } = await ask('/data/studies/trial');
  expect(body.missing).toEqual([]);
  expect(body.hypotheses).toHaveLength(1);
  expect(body.runs.map(({ run }: { run: string }) => run)).toContain('trial.cool.2');
  expect(
    body.curves.map(({ variant, values }: { variant: string; values: number[] }) => [variant, values.length]),
  ).toEqual([
    ['full', 6],
    ['cool', 6],
  ]);
  expect(body.tables.map(({ title }: { title: string }) => title)).toEqual([
    'Hypotheses',
    'Scores',
    'Differences from full',
    'Training',
    'Shared',
  ]);
  expect(await ask('/data/studies/trial')).toMatchObject({ body });
});

test('of a study that has grown, the newest, without the runs that have not ended', async () => {
  const { small } = bench;
  const { study } = await validateStudy(bench.studyOf({ seeds: [1, 2, 3] }), small.deps.readPreset);
  await small.store.publishFirst(studySpecUri('trial', study), jsonText(study));
  const { body } = await ask('/data/studies/trial');
  expect(body.missing).toEqual(['trial.full.3', 'trial.cool.3']);
  expect(body.runs).toHaveLength(4);
  expect((await ask('/data/studies')).body.studies).toMatchObject([{ seeds: 3, ended: 4, runs: 6 }]);
});

test('a name that there is none of, and a report whose base is damaged', async () => {
  expect(await ask('/data/studies/other')).toMatchObject({
    status: 404,
    body: { error: 'The store has no study "other".' },
  });
  await rm(join(bench.small.store.root, 'runs', 'trial.full.1', 'plan.json'));
  ui.close();
  ui = await serveUi({ root: bench.small.store.root, models: bench.small.deps.models });
  const damaged = await ask('/data/studies/trial');
  expect(damaged).toMatchObject({ status: 404, body: { error: expect.stringContaining('trial.full.1/plan.json') } });
  expect((await ask('/data/studies')).status).toBe(200);
});
