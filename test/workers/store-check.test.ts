/** The CPU worker as it is started, on the real server, with another store than that of a run under way. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { FolderStore, planUri } from '../../activities/store/index.js';
import { LONGHAUL_COMMAND } from '../../infra/checkout.js';
import { curriculum } from '../../workflows/index.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

// Each worker that is started loads its native libraries.
jest.setTimeout(300_000);

const execute = promisify(execFile);

let server: TestServer;
let small: SmallRun;
beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  await small.store.create();
});
afterAll(async () => {
  await server.env.teardown();
  await small.remove();
});

/** Runs a worker until it ends, or says that it is ready; gives all that it wrote. */
function worker(store: string): Promise<string> {
  const args = ['worker', 'cpu', '--address', server.env.address, '--store', store, '--state', small.folder];
  const running = execute(process.execPath, [LONGHAUL_COMMAND, ...args]);
  running.child.stdout?.on('data', (text: Buffer) => {
    if (String(text).includes('ready')) running.child.kill('SIGTERM');
  });
  return running.then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
}

test('is refused with what to do; a run that has published nothing yet is no hindrance', async () => {
  const other = new FolderStore(join(small.folder, 'another-store'));
  await other.create();
  const { workflow } = server.env.client;
  const begin = (workflowId: string) =>
    workflow.start(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [small.spec] });
  await begin('not-begun');
  await until(async () => (await workflow.count('ExecutionStatus = "Running"')).count === 1);
  expect(await worker(other.root)).toContain('cpu worker ready');
  await workflow.getHandle('not-begun').terminate();

  const stop = await startWorkers(server, small);
  const handle = await begin('run');
  await until(() => small.store.has(planUri('run')));
  await handle.executeUpdate('pause');
  await stop();
  const refused = await worker(other.root);
  expect(refused).not.toContain('ready');
  expect(refused).toContain(`run: under way, and published to another store than ${other.root}`);
  expect(refused).toContain('longhaul store copy FROM TO');
  expect(await worker(small.store.root)).toContain('cpu worker ready');
  await handle.terminate();
});
