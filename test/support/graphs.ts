/** Small graphs for tests: seeded numbers to feed, and a graph run once. */
import type * as ort from 'onnxruntime-node';
import { Graph, type Value } from '../../activities/engine/graph/graph';
import { CompiledGraph, type Feeds } from '../../activities/engine/graph/session';
import { type RandomStream, randomStream } from '../../activities/engine/random';

/** Uniform over [low, high), the same for the same name. */
export function randomFloats(name: string, length: number, low = -1, high = 1): Float32Array {
  const random = randomStream(name);
  return Float32Array.from({ length }, () => low + (high - low) * random.uniform());
}

/** A whole number from low to high, both included. */
export const between = (random: RandomStream, low: number, high: number): number => low + random.below(high - low + 1);

export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Builds a graph whose outputs are what `build` names, and runs it once on one thread. */
export async function evaluate(
  build: (g: Graph) => Record<string, Value>,
  feeds: Feeds = {},
): Promise<Record<string, ort.Tensor>> {
  const g = new Graph('test');
  for (const [name, value] of Object.entries(build(g))) g.output(name, value);
  const compiled = await CompiledGraph.compile(g, { threads: 1 });
  try {
    return await compiled.run(feeds);
  } finally {
    await compiled.release();
  }
}
