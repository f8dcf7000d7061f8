/** What a phase hands from step to step where rollouts are sampled beside the update before: with activities that only note it. */
import { Worker } from '@temporalio/worker';
import type { PolicyRef } from '../../activities/contract/index.js';
import { ENGINE_QUEUES, TASK_QUEUE } from '../../activities/contract/index.js';
import type { StageSettings } from '../../activities/run/index.js';
import type { RolloutInput } from '../../activities/training/index.js';
import { instantActivities } from '../../infra/bench/history/instant-activities.js';
import { phase } from '../../workflows/index.js';
import { replay, startServer, type TestServer } from '../support/temporal-server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.env.teardown());

const STEPS = 5;
const STAGE = { run: 'run', stage: 'phase-1', attempt: 1 };
const ref = (uri: string) => ({ uri, sha256: uri });
const policy = (name: string): PolicyRef => ({ name, ...ref(name) });

type Step = Pick<RolloutInput, 'step' | 'policy' | 'before' | 'cursor'> & {
  refill?: number;
  ahead?: { cursor: number };
};

/** @param skipped the step that teaches nothing */
async function phaseOf(workflowId: string, rl: Partial<NonNullable<StageSettings['rl']>>, skipped = 0) {
  const noted: Record<'trainSteps' | 'rollout' | 'update', Step[]> = { trainSteps: [], rollout: [], update: [] };
  const made = instantActivities(STEPS, () => {});
  const counts = (await made.trainSteps({ stage: STAGE, step: 1 } as never)).counts;
  const activities = {
    ...made,
    trainSteps: async (input: Step) => {
      noted.trainSteps.push(input);
      const isSkipped = input.step === skipped;
      const after = isSkipped ? input.policy : policy(`p${input.step}`);
      const common = { policy: after, counts, metrics: null, step: input.step, skipped: isSkipped };
      const before = !isSkipped && input.step < STEPS ? { before: input.policy } : {};
      return { ...common, drawn: 2, newTokens: 1, updateSeconds: 0, ...before };
    },
    rollout: async (input: Step) => {
      noted.rollout.push(input);
      return { rollouts: ref('rollouts'), newTokens: 1 };
    },
    score: async ({ step, refill }: { step: number; refill: number }) => {
      const effective = step === skipped ? 0 : refill + 1;
      return { scores: ref('scores'), groups: 2, effective, responses: 2, rewardSum: 1, passes: 1, unscored: 0 };
    },
    update: async (input: Step & { skip: boolean }) => {
      noted.update.push(input);
      return { policy: input.skip ? input.policy : policy(`p${input.step}`), counts, metrics: null };
    },
  };
  const settings: StageSettings = {
    ...{ spec: ref('spec'), steps: STEPS, snapshotEvery: 100, engine: 'tinker' },
    rl: { ...{ promptsPerStep: 2, maxRefills: 1, minEffectiveGroups: 1, patience: 9, onMissing: 'continue' }, ...rl },
  };
  const input = { stage: STAGE, settings, data: ref('data'), pool: ref('pool'), policy: policy('p0'), paused: false };
  const workers = await Promise.all(
    [TASK_QUEUE, ENGINE_QUEUES.tinker].map(taskQueue =>
      Worker.create({
        ...{ connection: server.env.nativeConnection, taskQueue, activities },
        ...(taskQueue === TASK_QUEUE && { workflowBundle: server.bundle }),
      }),
    ),
  );
  const running = workers.map(worker => worker.run());
  try {
    await server.env.client.workflow.execute(phase, { workflowId, taskQueue: TASK_QUEUE, args: [input] });
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  }
  await replay(server, workflowId);
  return noted;
}

const whoBefore = (steps: Step[]) => steps.map(({ step, before }) => [step, before?.name]);

test('of whole steps: which policy was before', async () => {
  const { trainSteps } = await phaseOf('whole', { ruleAlone: true, overlap: true }, 3);
  // The third left the policy as it was, so that it is the fourth's own that samples.
  expect(whoBefore(trainSteps)).toEqual([
    [1, undefined],
    [2, 'p0'],
    [3, 'p1'],
    [4, undefined],
    [5, 'p2'],
  ]);
});

test('of steps in parts: also where the next one draws, but not beyond the phase nor after one that teaches nothing', async () => {
  const { rollout, update } = await phaseOf('parts', { ruleAlone: false, overlap: true }, 3);
  expect(rollout.map(({ step, refill, before }) => [step, refill, before?.name])).toEqual([
    [1, 0, undefined],
    [1, 1, undefined],
    [2, 0, 'p0'],
    [2, 1, 'p0'],
    [3, 0, 'p1'],
    [3, 1, 'p1'],
    [4, 0, undefined],
    [4, 1, undefined],
    [5, 0, 'p2'],
    [5, 1, 'p2'],
  ]);
  expect(update.map(({ step, before, ahead }) => [step, before?.name, ahead?.cursor])).toEqual([
    [1, undefined, 4],
    [2, 'p0', 8],
    [3, 'p1', undefined],
    [4, undefined, 16],
    [5, 'p2', undefined],
  ]);
});

test('nothing where it is not asked for', async () => {
  const { rollout, update } = await phaseOf('without', { ruleAlone: false });
  for (const input of [...rollout, ...update]) expect(input).not.toHaveProperty('before');
  for (const input of update) expect(input).not.toHaveProperty('ahead');
});
