/** A run that a training service trains: its policies are had back whatever becomes of the service and of the worker. */
import type { PolicyRef } from '../../../activities/contract/index';
import { lastStep, redoLog } from '../../../activities/policies/index';
import type { StepLine } from '../../../activities/training/record-phase';
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
    expect(await logOf(served)).toEqual(await logOf(undisturbed));
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
