/** Difficulty measured again before a phase: what is asked, how it is bounded, and that no crash changes it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DifficultyRecord, Pool, RolloutGroup } from '../../../activities/artifacts/formats.js';
import type { GenerateRequest } from '../../../activities/engine/protocol/index.js';
import { validateSpec } from '../../../activities/spec/index.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

const runs: SmallRun[] = [];
afterAll(() => Promise.all(runs.map(run => run.remove())));

async function driven(remeasure: object | undefined, dieAt: number | null = null) {
  const run = await smallRun();
  runs.push(run);
  const phases = [run.spec.phases[0], { ...run.spec.phases[1], rl: { sampling: { maxNewTokens: 40 } } }];
  Object.assign(run.spec, { phases, ...(remeasure && { retrospective: { remeasure } }) });
  run.engine.dieAt = dieAt;
  const requests: GenerateRequest[] = [];
  const call = run.engine.call.bind(run.engine);
  run.engine.call = (operation, request, options) => {
    if (operation === 'generate') requests.push(request as GenerateRequest);
    return call(operation, request, options);
  };
  const { final } = await driveRun(run);
  const read = (path: string) => readFile(join(run.store.root, 'runs/run', path), 'utf8');
  const again = async () => JSON.parse(await read('phase-2/1/again/difficulty.json')) as DifficultyRecord;
  const pool = JSON.parse(await read('pools/phase-2.json')) as Pool;
  const before = JSON.parse(await read('phase-1/1/difficulty.json')) as DifficultyRecord;
  return { run, final, requests, read, again, pool, before };
}

test('so many samples are answered so often, as the phase will have them answered; the others keep what is known', async () => {
  const { again, before, pool, read, requests } = await driven({ samples: 5, responses: 3 });
  const { samples } = await again();
  expect(samples.map(({ responses }) => responses)).toEqual([3, 3, 3, 3, 3]);
  const asked = requests.filter(({ prompts }) => prompts[0]!.seed.includes('/again/'));
  expect(asked).toMatchObject([{ group: 3, sampling: { maxNewTokens: 40 } }]);
  const lines = (await read('phase-2/1/again/0.jsonl')).trim().split('\n');
  expect(lines.map(line => (JSON.parse(line) as RolloutGroup).id)).toEqual(samples.map(({ id }) => id));
  const rewards = new Map([...before.samples, ...samples].map(({ index, meanReward }) => [index, meanReward]));
  expect(pool.counts.candidates).toBe(before.samples.length);
  for (const { index, origin, meanReward } of pool.entries)
    if (origin === 'carried') expect(meanReward).toBe(rewards.get(index));
});

test('an engine that dies meanwhile changes nothing of the result', async () => {
  const whole = await driven({});
  const calls = whole.run.engine.calls;
  const at = whole.requests.findIndex(({ prompts }) => prompts[0]!.seed.includes('/again/'));
  const place = calls.flatMap((operation, k) => (operation === 'generate' ? [k] : []))[at]!;
  const interrupted = await driven({}, place);
  expect(interrupted.final).toEqual(whole.final);
  expect(await interrupted.again()).toEqual(await whole.again());
});

test('not asked for, it is no part of the spec, and nothing is asked', async () => {
  const { run, requests } = await driven(undefined);
  expect(JSON.stringify(validateSpec(run.spec))).not.toContain('remeasure');
  expect(requests.some(({ prompts }) => prompts[0]!.seed.includes('/again/'))).toBe(false);
});

test.each([
  [{ retrospective: { enabled: false, remeasure: {} } }, 'where retrospective.enabled is false'],
  [{ retrospective: { remeasure: {} }, phases: [{ maxTokens: 40, steps: 1 }] }, 'a single phase has none before it'],
  [{ retrospective: { remeasure: { samples: 0 } } }, 'retrospective.remeasure.samples'],
])('%j is refused', async (over, problem) => {
  const run = await smallRun();
  runs.push(run);
  expect(() => validateSpec({ ...run.spec, ...over })).toThrow(problem);
});
