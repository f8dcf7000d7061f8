/** The GPU worker as it is started, on the real server, beside a run that an engine of other numerics began. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Progress, TASK_QUEUE } from '../../activities/contract/index.js';
import { LONGHAUL_COMMAND } from '../../infra/checkout.js';
import { curriculum } from '../../workflows/index.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

const execute = promisify(execFile);

let server: TestServer;
let small: SmallRun;
beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  await small.store.create();
  small.deps.numerics = { provider: 'cpu', processor: 'another one', sha256: '1'.repeat(64) };
});
afterAll(async () => {
  await server.env.teardown();
  await small.remove();
});

/** Runs a worker until it ends, or says that it is ready; gives all that it wrote. */
function worker(...flags: string[]): Promise<string> {
  const places = ['--address', server.env.address, '--store', small.store.root, '--state', small.folder];
  const args = ['worker', 'gpu', ...places, ...flags];
  const running = execute(process.execPath, [LONGHAUL_COMMAND, ...args]);
  running.child.stdout?.on('data', (text: Buffer) => {
    if (String(text).includes('ready')) running.child.kill('SIGTERM');
  });
  return running.then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
}

test('is refused with what to do, unless that is accepted; a run that has logged nothing yet is no hindrance', async () => {
  const { workflow } = server.env.client;
  const begin = (workflowId: string) =>
    workflow.start(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [small.spec] });
  await begin('not-begun');
  await until(async () => (await workflow.count('ExecutionStatus = "Running"')).count === 1);
  expect(await worker()).toContain('gpu worker ready');
  await workflow.getHandle('not-begun').terminate();

  const stop = await startWorkers(server, small);
  small.engine.generateMs = 50;
  const handle = await begin('run');
  const progress = () => handle.query<Progress>('progress');
  await until(async () => (await progress()).stages.some(({ name, latest }) => name === 'phase-1' && latest !== null));
  await handle.executeUpdate('pause');
  await until(async () => (await progress()).state === 'paused');
  await stop();

  const refused = await worker();
  expect(refused).not.toContain('ready');
  expect(refused).toMatch(
    /run, last at phase-1, step \d: longhaul .*, onnxruntime .*, numerics 11111111 \(cpu, another one\)/,
  );
  expect(refused).toContain('longhaul run --from run/phase-1 --name NAME');
  const accepted = await worker('--accept-other-numerics');
  expect(accepted).toContain('gpu worker ready');
  expect(accepted).toContain('numerics 11111111');
}, 120_000);
