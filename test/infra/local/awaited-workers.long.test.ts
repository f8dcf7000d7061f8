/** On a real server: who begins something that no worker is there for is told, queue by queue. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { TASK_QUEUE } from '../../../activities/contract/index';
import { withoutWorkers } from '../../../infra/local/awaited-workers';
import { startServer, type TestServer, until } from '../../support/temporal-server';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server?.env.teardown());

const said = (command: string) => expect.stringMatching(new RegExp(`^No worker asks .* waits for one: ${command}$`));
const CPU = said('npx longhaul worker cpu');
const GPU = said('npx longhaul worker gpu');
const TINKER = said('npx longhaul worker gpu --engine tinker --engine-url URL');

test('names each queue that nobody asks at, once', async () => {
  const { client } = server.env;
  expect(await withoutWorkers(client, ['onnx', 'tinker', 'onnx'])).toEqual([CPU, GPU, TINKER]);
});

test('is content with a queue that a worker asks at', async () => {
  const { client, address } = server.env;
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({ connection, taskQueue: TASK_QUEUE, workflowBundle: server.bundle });
  const lines = await worker.runUntil(async () => {
    // The server learns of it by its first asking.
    await until(async () => (await withoutWorkers(client, [])).length === 0);
    return withoutWorkers(client, ['onnx']);
  });
  await connection.close();
  expect(lines).toEqual([GPU]);
}, 30_000);
