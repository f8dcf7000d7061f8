/** The worker that runs the workflows, in a process of its own that has nothing else to remember. */
import { TASK_QUEUE } from '../../../activities/contract/index.js';
import { BUNDLE_FILE } from '../../../workers/bundle.js';
import { runWorker } from '../../../workers/worker.js';
import { serveProgram } from '../dev-server.js';

const [address] = process.argv.slice(2) as [string];

serveProgram<null>(async (stop, onReady) => {
  const unused = { store: '', inHand: '', modelCache: '', readPreset: async () => null };
  await runWorker(
    { ...unused, connection: { address, namespace: 'default' }, stop, onReady: () => onReady() },
    { taskQueue: TASK_QUEUE, workflowBundle: { codePath: BUNDLE_FILE } },
  );
  return null;
});
