/** Evaluations that stand alone, on a real server: of a folder, of a run's policy, of a remote endpoint. */
import type { EvaluationRecord } from '../../activities/evaluation-record.js';
import { readJson } from '../../activities/store/index.js';
import type { EvaluationProgress, EvaluationSummary } from '../../workflows/contract.js';
import { TASK_QUEUE } from '../../workflows/contract.js';
import { smallEvaluation } from '../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;

beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  stopWorkers = await startWorkers(server, small);
});
afterAll(async () => {
  await stopWorkers?.();
  await server?.env.teardown();
  await small.remove();
});

const start = (workflowId: string, spec: Record<string, unknown>) =>
  server.env.client.workflow.start('evaluation', { workflowId, taskQueue: TASK_QUEUE, args: [spec] });
const evaluate = async (workflowId: string, spec: Record<string, unknown>): Promise<EvaluationSummary> =>
  (await start(workflowId, spec)).result();

async function recordAt(uri: string): Promise<EvaluationRecord> {
  return readJson(small.store, (await small.store.find(uri))!);
}

describe('a model in a folder', () => {
  test('is evaluated to a row for each benchmark and a record in the store', async () => {
    const { name, label, rows, uri, regression } = await evaluate('folder', smallEvaluation(small));
    expect({ name, label, uri, regression }).toEqual({
      name: 'folder',
      label: 'model',
      uri: 'store:evaluations/folder/model/result.json',
      regression: false,
    });
    expect(rows).toMatchObject([{ set: 'questions', policy: 'model', items: 30, metric: 'custom', unanswered: 0 }]);
    const { model, sets } = await recordAt(uri);
    expect(model).toMatchObject({ kind: 'folder', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(sets[0]!.scores).toHaveLength(30);
    await replay(server, 'folder');
  });
});
