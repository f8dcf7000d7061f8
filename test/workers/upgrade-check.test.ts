import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { type Progress, TASK_QUEUE } from '../../activities/contract/index.js';
import { refuseIncompatibleRuns } from '../../workers/upgrade-check.js';
import { curriculum } from '../../workflows/index.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let folder: string;
beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  // Inside the checkout, where the SDK is found.
  folder = await mkdtemp(join(__dirname, 'upgrade-'));
});
afterAll(async () => {
  await server.env.teardown();
  await small.remove();
  await rm(folder, { recursive: true, force: true });
});

test('a run under way is gone on with by the same workflows; others are refused before they take work', async () => {
  const stop = await startWorkers(server, small);
  const { workflow } = server.env.client;
  const handle = await workflow.start(curriculum, { workflowId: 'run', taskQueue: TASK_QUEUE, args: [small.spec] });
  await handle.executeUpdate('pause');
  await until(async () => (await handle.query<Progress>('progress')).state === 'paused');
  await stop();
  const check = (bundle: { code: string }) => refuseIncompatibleRuns(server.env.client, { workflowBundle: bundle });
  await until(async () => (await workflow.count('ExecutionStatus = "Running"')).count > 0);
  await check(server.bundle);

  await writeFile(
    join(folder, 'index.ts'),
    `import { sleep } from '@temporalio/workflow';
     export async function curriculum() { await sleep('1 day'); }
     export async function evaluation() { await sleep('1 day'); }
     export async function phase() { await sleep('1 day'); }
     export async function warmup() { await sleep('1 day'); }`,
  );
  const other = await bundleWorkflowCode({ workflowsPath: folder, logger: new DefaultLogger('ERROR') });
  const refused = await check(other).then(
    () => 'not refused',
    (error: Error) => error.message,
  );
  expect(refused).toMatch(/cannot go on with/);
  expect(refused).toContain('temporal workflow terminate --workflow-id run');
}, 60_000);
