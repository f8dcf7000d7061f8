/** An evaluation small enough to think through, of the small run's data. */
import { join } from 'node:path';
import type { SmallRun } from './small-run.js';

/** As a user would write it: of the model's folder unless another model is given. */
export function smallEvaluation({ folder }: Pick<SmallRun, 'folder'>, over: Record<string, unknown> = {}) {
  const source = { type: 'jsonl', path: join(folder, 'data.jsonl') };
  return {
    model: { folder: join(folder, 'model') },
    benchmarks: [{ name: 'questions', source, limit: 30 }],
    prompt: { template: '{document}\n{question}\n', chat: false },
    sampling: { maxNewTokens: 30 },
    ...over,
  };
}
