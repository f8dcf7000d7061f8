/** A worker as the local stack has it, in a process of its own, that reports when what it does was done. */
import { dirname, join } from 'node:path';
import { createEngine } from '../../../activities/engine/process/index.js';
import { cpuWork } from '../../../workers/cpu.js';
import { engineWork } from '../../../workers/engine-work.js';
import { runWorker, workerDependencies } from '../../../workers/worker.js';
import { readPreset } from '../../specs/spec-files.js';
import { serveProgram } from '../dev-server.js';
import { Recorder, type Span } from './spans.js';

const [kind, address, store, modelCache] = process.argv.slice(2) as ['cpu' | 'gpu', string, string, string];

serveProgram<Span[]>(async (stop, ready) => {
  const recorder = new Recorder();
  const connection = { address, namespace: 'default' };
  const inHand = join(dirname(store), 'in-hand');
  const options = { connection, store, inHand, modelCache, readPreset, stop };
  const dependencies = recorder.judged(await workerDependencies(options));
  if (kind === 'cpu') {
    const work = cpuWork(dependencies);
    await runWorker(
      { ...options, onReady: () => ready() },
      { ...work, activities: recorder.activities(work.activities!) },
    );
    return recorder.spans;
  }
  const engine = createEngine();
  try {
    const { pid } = await engine.call('status', {});
    const work = engineWork('onnx', { ...dependencies, engine: recorder.engine(engine) });
    const onReady = () => ready([pid]);
    await runWorker({ ...options, onReady }, { ...work, activities: recorder.activities(work.activities!) });
  } finally {
    await engine.close();
  }
  return recorder.spans;
});
