/** Files that are damaged while a run is under way, on a real server: made again on the way, to the same bits. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { curriculum } from '../../workflows/index.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

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

const start = (workflowId: string) =>
  server.env.client.workflow.start(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [small.spec] });

/** Lets a run come to the second phase, holds it there, damages files of what is behind it, and lets it go on. */
async function damaged(run: string, paths: string[]) {
  small.engine.generateMs = 100;
  const handle = await start(run);
  await until(() => small.store.has(`store:runs/${run}/phase-2/1/steps/1`));
  await handle.executeUpdate('pause');
  for (const path of paths) {
    const file = join(small.store.root, 'runs', run, path);
    await writeFile(file, `${await readFile(file, 'utf8')} `);
  }
  // Nothing in memory stands for what is damaged.
  small.engine.forget();
  small.engine.generateMs = 0;
  await handle.executeUpdate('resume');
  return handle.result();
}

test('what was damaged is made again, and the run ends with the same policy', async () => {
  const undisturbed = await (await start('undisturbed')).result();
  // Read by none, by a stage behind, by the rebuild, by the end of a phase.
  const result = await damaged('disturbed', [
    'phase-1/1/steps/1/rollouts-0.jsonl',
    'phase-1/1/steps/3/update.json',
    'phase-2/1/steps/1/rollouts-0.jsonl',
    'pools/phase-2.json',
  ]);
  expect(result.policy.sha256).toBe(undisturbed.policy.sha256);
  expect(result.evaluations.map(({ uri, ...row }) => row)).toEqual(
    undisturbed.evaluations.map(({ uri, ...row }) => row),
  );
  expect(result.stages.map(({ policy }) => policy.sha256)).toEqual(
    undisturbed.stages.map(({ policy }) => policy.sha256),
  );
  // The pool was wanted again: it was found, kept for inspection, and is what it was.
  expect(await small.store.list('store:runs/disturbed/pools')).toContain('phase-2.json.damaged');
  const pool = (run: string) => readFile(join(small.store.root, 'runs', run, 'pools/phase-2.json'), 'utf8');
  expect((await pool('disturbed')).replaceAll('"disturbed"', '"undisturbed"')).toBe(await pool('undisturbed'));
});
