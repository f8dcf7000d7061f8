/** A run that a training service trains: its policies are had back whatever becomes of the service and of the worker. */
import type { PolicyRef } from '../../../activities/contract/index';
import { lastStep, redoLog } from '../../../activities/policies/index';
import type { StepLine } from '../../../activities/training/record-phase';
import { driveRun } from '../../support/drive';
import { type ServedRun, servedRun, startServed } from '../../support/served-run';
import type { Fault, TinkerServer } from '../../support/tinker-server';

jest.setTimeout(120_000);

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

function names({ base, sft, final }: Record<'base' | 'sft' | 'final', PolicyRef>): string[] {
  return [base, sft, final].map(({ name }) => name);
}

async function logOf({ store }: ServedRun): Promise<string[]> {
  const steps: string[] = [];
  for await (const { stage, step, record } of redoLog(store, 'run'))
    steps.push(
      `${stage.stage}/${step} ${record.metrics.map(({ optimizerStep }: Pick<StepLine['metrics'][number], 'optimizerStep'>) => optimizerStep)}`,
    );
  return steps;
}

test('is logged step by step, with what was found of the service and the tolerance that it promises', async () => {
  const steps = await logOf(undisturbed);
  expect(steps).toEqual([
    'warmup/1 1',
    'warmup/2 2',
    'warmup/3 3',
    'phase-1/1 1,2',
    'phase-1/2 3,4',
    'phase-2/1 1,2',
    'phase-2/2 3,4',
  ]);
  const { record } = (await lastStep(undisturbed.store, 'run'))!;
  expect(record.code?.numerics).toMatchObject({ provider: 'tinker', tolerance: expect.any(Number) });
  expect(record.code!.numerics!.processor).toContain('gradients: ');
});

/** Drives a run during which something happens, once, at the n-th step of an optimiser that the service is asked for. */
async function disturbed(at: number, happens: (served: ServedRun) => Fault | null): Promise<ServedRun> {
  const server = await first.another();
  const served = await servedRun(server);
  let steps = 0;
  let trained = false;
  server.fault = ({ path, body }) => {
    // The trial's own steps come before.
    trained ||= path === 'load_weights' || Boolean(body && 'seq_id' in body && path === 'save_weights');
    if (!trained || path !== 'optim_step' || ++steps !== at) return null;
    return happens(served);
  };
  try {
    expect(names(await driveRun(served))).toEqual(expected);
    expect(steps).toBeGreaterThanOrEqual(at);
    expect(await logOf(served)).toEqual(await logOf(undisturbed));
    return served;
  } finally {
    await served.remove();
    await server.stop();
  }
}

test.each([2, 5, 9])('survives a service that loses its memory at step %i of the optimiser', at =>
  disturbed(at, () => 'ends before'),
);
test.each([3, 8])('survives a service that loses its memory once it has taken step %i', at =>
  disturbed(at, () => 'ends after'),
);
test.each([4, 10])('survives a worker that is lost at step %i, with all that it knew', at =>
  disturbed(at, served => {
    served.restartWorker();
    return 'breaks after';
  }),
);
