/** A run that a training service trains: its policies are had back whatever becomes of the service and of the worker. */
import type { PolicyRef } from '../../../activities/contract/index';
import { evaluate } from '../../../activities/evaluation/evaluate';
import { readResponses } from '../../../activities/evaluation/job';
import type { EvaluationResponses } from '../../../activities/evaluation/plan';
import { prepareEvaluation } from '../../../activities/evaluation/prepare-evaluation';
import { ensurePolicyLoaded, lastStep, redoLog } from '../../../activities/policies/index';
import { supervised } from '../../../activities/supervision/index';
import { driveRun } from '../../support/drive';
import { type ServedRun, servedRun, startServed } from '../../support/served-run';
import type { Fault, TinkerServer } from '../../support/tinker-server';

jest.setTimeout(400_000);

let first: TinkerServer;
let undisturbed: ServedRun;
let expected: string[];
beforeAll(async () => {
  first = await startServed();
  undisturbed = await servedRun(first);
  expected = names(await driveRun(undisturbed));
});
afterAll(async () => {
  await undisturbed?.remove();
  await first?.release();
});

const names = ({ base, sft }: Record<'base' | 'sft', PolicyRef>): string[] => [base.name, sft.name];

/** Each step, with how often the optimiser has stepped after each of its updates. */
async function booksOf({ store }: ServedRun) {
  const books: { step: string; updates: number[]; norms: number[]; losses: number[] }[] = [];
  for await (const { stage, step, record } of redoLog(store, 'run')) {
    const of = <K extends 'optimizerStep' | 'gradNorm' | 'loss'>(key: K) => record.metrics.map(metrics => metrics[key]);
    books.push({
      step: `${stage.stage}/${step}`,
      updates: of('optimizerStep'),
      norms: of('gradNorm'),
      losses: of('loss'),
    });
  }
  return books;
}

test('is logged step by step, with what was found of the service and the tolerance that it promises', async () => {
  const steps = (await booksOf(undisturbed)).map(({ step, updates }) => `${step} ${updates}`);
  expect(steps).toEqual([
    ...['warmup/1 1', 'warmup/2 2', 'warmup/3 3'],
    ...['phase-1/1 1,2', 'phase-1/2 3,4', 'phase-2/1 1,2', 'phase-2/2 3,4'],
  ]);
  const { record } = (await lastStep(undisturbed.store, 'run'))!;
  expect(record.code?.numerics).toMatchObject({ provider: 'tinker', tolerance: expect.any(Number) });
  expect(record.code!.numerics!.processor).toContain('gradients: ');
});

test('the service answers for the run in evaluations, of the model as it was too', async () => {
  const { run, deps, spec } = undisturbed;
  for (const policy of ['newest', 'base']) {
    const input = {
      model: { run: 'run', policy },
      benchmarks: [{ name: 'questions', source: spec.data[0], limit: 2 }],
      prompt: spec.prompt,
      sampling: { temperature: 0, maxNewTokens: 4 },
    };
    const start = { workflowId: `trial/${policy}`, schedule: null };
    const { plan, engine } = await run(prepareEvaluation(deps), { start, input });
    expect(engine).toBe('tinker');
    const answers = await run(evaluate(deps), { plan, set: 'questions' });
    const lines = await readResponses<EvaluationResponses>(deps.store, answers);
    expect(lines.map(({ responses }) => responses.length)).toEqual([1, 1]);
  }
});

test('a worker that finds its policy where the one before left it tries the service before it works on it', async () => {
  const { run, deps, store } = undisturbed;
  const { result } = (await lastStep(store, 'run'))!.record;
  const load = () =>
    run(() => supervised('a policy', supervision => ensurePolicyLoaded(deps, result, 'as-trained', supervision)), null);
  await load();
  undisturbed.restartWorker(true);
  const found = await deps.engine.call('status', {});
  expect([found.tag, deps.numerics!.tolerance]).toEqual([result.name, 0]);
  await load();
  expect(deps.numerics!.tolerance).toBeGreaterThan(0);
});

/** Relative, of whole runs: each step's own tolerance adds up. */
const CLOSE = 1e-3;

/** Every step once, and every gradient what it is in a run that nothing happened to. */
async function expectSameBooks(served: ServedRun): Promise<void> {
  const [books, expected] = [await booksOf(served), await booksOf(undisturbed)];
  expect(books.map(({ step, updates }) => [step, updates])).toEqual(
    expected.map(({ step, updates }) => [step, updates]),
  );
  const far = books.flatMap(({ norms, losses }, k) => [
    ...norms.map((norm, i) => Math.abs(norm / expected[k]!.norms[i]! - 1)),
    ...losses.map((loss, i) => Math.abs(loss - expected[k]!.losses[i]!)),
  ]);
  expect(Math.max(...far)).toBeLessThan(CLOSE);
}

/** Drives a run during which something happens, each at the n-th step of an optimiser that the run asks for. */
async function disturbed(events: Record<number, (served: ServedRun) => Fault | null>): Promise<void> {
  const server = await first.another();
  const served = await servedRun(server);
  let steps = 0;
  // Of what is sent before the first step of the run: the trial's own, which are of models that are not kept.
  let training = false;
  server.fault = ({ path }) => {
    training ||= path === 'save_weights';
    if (!training || path !== 'optim_step') return null;
    return events[++steps]?.(served) ?? null;
  };
  try {
    expect(names(await driveRun(served))).toEqual(expected);
    for (const at of Object.keys(events)) expect(steps).toBeGreaterThan(Number(at));
    await expectSameBooks(served);
  } finally {
    await served.remove();
    await server.stop();
  }
}

test('survives a service that loses its memory in mid-step, and one that does so once it has stepped', () =>
  disturbed({ 4: () => 'ends before', 9: () => 'ends after' }));

test('survives a worker that is lost with all that it knew', () =>
  disturbed({
    6: served => {
      served.restartWorker();
      return 'breaks after';
    },
  }));
