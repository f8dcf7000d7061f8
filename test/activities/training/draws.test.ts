/** Which prompts steps draw. */
import type { Pool, PromptItem } from '../../../activities/artifacts/formats.js';
import { validateSpec } from '../../../activities/spec/index.js';
import { publishJson, publishLines } from '../../../activities/store/index.js';
import { drawPrompts } from '../../../activities/training/draws.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let run: SmallRun;
let runs = 0;
beforeAll(async () => {
  run = await smallRun();
});
afterAll(() => run.remove());

const TASKS = ['docqa', 'docqa', 'docqa', 'docqa', 'docqa', 'docmath', 'docmath', 'choice'] as const;

const ITEMS = TASKS.map((task, k) => ({ id: `s${k}`, task, question: 'q', answers: ['a'], promptIds: [k] }));

async function draws(rl: object, steps: number, promptsPerStep: number, items: readonly PromptItem[] = ITEMS) {
  const { store } = run;
  const name = `r-${runs++}`;
  const entries = items.map(({ id }, index) => ({ index, id, origin: 'band', meanReward: null, weight: null }));
  const stage = { run: name, stage: 'phase-1', attempt: 1 };
  const spec = validateSpec({ ...run.spec, rl: { ...run.spec.rl, ...rl } });
  const data = await publishLines(store, `store:runs/${name}/data/train.jsonl`, items);
  const pool = await publishJson(store, `store:runs/${name}/pools/phase-1.json`, { entries } as unknown as Pool);
  const input = { stage, data, pool, spec: data, policy: { name: 'p', uri: 'store:p', sha256: '' }, entry: false };
  return Promise.all(
    Array.from({ length: steps }, (_, step) =>
      drawPrompts(store, spec, {
        ...{ ...input, step, refill: 0 },
        ...{ cursor: step * promptsPerStep, count: promptsPerStep },
      }),
    ),
  );
}

const tasksOf = (drawn: { index: number }[]) => drawn.map(({ index }) => TASKS[index]!);
const count = (tasks: string[], task: string) => tasks.filter(other => other === task).length;

test('as the pool has them: each epoch holds every prompt once', async () => {
  const drawn = (await draws({}, 4, 4)).flat();
  for (const epoch of [drawn.slice(0, 8), drawn.slice(8)])
    expect(epoch.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('balanced: as many of each task in every step, each task’s own evenly', async () => {
  const steps = await draws({ balanceTasks: true }, 10, 6);
  for (const step of steps)
    for (const task of new Set(TASKS)) expect({ task, n: count(tasksOf(step), task) }).toEqual({ task, n: 2 });
  // 20 draws of five prompts.
  const docqa = steps.flat().filter(({ index }) => TASKS[index] === 'docqa');
  for (let index = 0; index < 5; index++) expect(docqa.filter(draw => draw.index === index)).toHaveLength(4);
  expect(new Set(steps.flat().map(({ seed }) => seed)).size).toBe(60);
});

test('a source’s own name of its task stands for how it is scored', async () => {
  const items = ITEMS.map((item, k) => ({ ...item, task: 'docqa' as const, ...(k >= 6 && { taskName: 'counting' }) }));
  const steps = await draws({ balanceTasks: true, advantageScale: 'task' }, 3, 4, items);
  for (const step of steps) expect(step.map(({ task }) => task)).toEqual(['counting', 'docqa', 'counting', 'docqa']);
});
