/** How fast this machine is today: one plain matrix product through onnxruntime, with nothing of the engine in it. */
import * as ort from 'onnxruntime-node';
import { encodeModel, valueMessage } from '../../activities/engine/graph/index.js';

const SIZE = 1024;
const REPETITIONS = 15;

/** Seconds of each of several products of two 1024 x 1024 matrices in 32 bits. */
export async function calibrate(threads: number): Promise<number[]> {
  const declare = (name: string) => valueMessage(name, 'float32', [SIZE, SIZE]);
  const model = encodeModel({
    name: 'calibration',
    node: [{ op_type: 'MatMul', name: 'product', domain: '', input: ['a', 'b'], output: ['c'], attribute: [] }],
    initializer: [],
    input: [declare('a'), declare('b')],
    output: [declare('c')],
  });
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    // The rows' processes need the cores to themselves.
    extra: { session: { force_spinning_stop: '1' } },
  });
  const matrix = () => new ort.Tensor('float32', new Float32Array(SIZE * SIZE).fill(1 / SIZE), [SIZE, SIZE]);
  const feeds = { a: matrix(), b: matrix() };
  const seconds: number[] = [];
  for (let i = 0; i <= REPETITIONS; i++) {
    const started = performance.now();
    await session.run(feeds);
    if (i > 0) seconds.push((performance.now() - started) / 1000); // the first one allocates
  }
  await session.release();
  return seconds;
}
