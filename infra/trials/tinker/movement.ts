/** How far two runs' final adapters are apart, of the way that training moved the model. */
import { join } from 'node:path';
import type { CurriculumResult } from '../../../activities/contract/index.js';
import { readAdapter, readConfig } from '../../../activities/engine/folders/index.js';

interface Trained {
  store: string;
  run: string;
  result: CurriculumResult;
}

/** Largest over the layers of |B1 A1 - B2 A2| / |B1 A1|, Frobenius norms. */
export async function movementOf({
  base,
  one,
  other,
}: {
  base: string;
  one: Trained;
  other: Trained;
}): Promise<number> {
  const [a, b] = [await deltas(base, one), await deltas(base, other)];
  return Math.max(
    ...[...a].map(([module, delta]) => {
      const beside = b.get(module)!;
      return length(delta.map((value, i) => value - beside[i]!)) / length(delta);
    }),
  );
}

/** What the adapter adds to each layer's weights, up to its scale: [out, in], row-major. */
async function deltas(base: string, { store, run, result }: Trained): Promise<Map<string, Float64Array>> {
  const folder = join(store, 'runs', run, 'checkpoints', result.policy.name);
  const { modules, tensors } = await readAdapter(folder, (await readConfig(base)).config);
  return new Map(
    modules.map(module => {
      const [down, up] = [tensors.get(pefts(module, 'A'))!, tensors.get(pefts(module, 'B'))!];
      const [rank, width] = down.shape as [number, number];
      const delta = new Float64Array(up.shape[0]! * width);
      for (let row = 0; row < up.shape[0]!; row++)
        for (let k = 0; k < rank; k++)
          for (let column = 0; column < width; column++)
            delta[row * width + column]! += up.data[row * rank + k]! * down.data[k * width + column]!;
      return [module, delta];
    }),
  );
}

const pefts = (module: string, matrix: 'A' | 'B'): string => `base_model.model.${module}.lora_${matrix}.weight`;

const length = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
