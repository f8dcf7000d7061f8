/** What a span says of an engine's work, as a collector is sent it. */
import type { Engine } from '../../activities/engine/protocol';
import { startTracing } from '../../workers/tracing';
import { Collector } from '../support/collector';

test.each([
  [0.5, { 'longhaul.loss': 0.5, 'longhaul.trained_tokens': 3 }],
  [0, { 'longhaul.loss': 0, 'longhaul.trained_tokens': 3 }],
  [-2, { 'longhaul.loss': -2, 'longhaul.trained_tokens': 3 }],
  [2 ** 70, { 'longhaul.loss': 2 ** 70, 'longhaul.trained_tokens': 3 }],
  [Number.NaN, { 'longhaul.trained_tokens': 3 }],
  [Number.POSITIVE_INFINITY, { 'longhaul.trained_tokens': 3 }],
])('of a loss of %d: a double, or nothing where it is no number', async (loss, attributes) => {
  const collector = new Collector();
  const tracing = startTracing('gpu', await collector.start());
  try {
    const update = async () => ({ tokens: 3, loss });
    const engine = tracing.engine({ call: update, close: async () => {} } as unknown as Engine);
    await engine.call('sft', { examples: [] } as never);
    await tracing.close();
    const [span] = collector.spans;
    expect(span).toMatchObject({ name: 'engine:sft', service: 'longhaul-gpu-worker', status: 0 });
    expect(span!.attributes).toEqual(attributes);
    const doubles = 'longhaul.loss' in attributes ? { 'longhaul.loss': 'doubleValue' } : {};
    expect(span!.types).toEqual({ ...doubles, 'longhaul.trained_tokens': 'intValue' });
    expect(collector.strays).toEqual([]);
  } finally {
    await collector.stop();
  }
});
