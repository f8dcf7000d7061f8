/** The responses of a policy to an evaluation set. Scoring them is another activity: it needs no accelerator. */
import type { PolicyRef } from '../workflows/contract.js';
import { type PromptItem, readData } from './artifacts.js';
import type { EngineDependencies } from './dependencies.js';
import { ensurePolicyLoaded } from './policy.js';
import type { RunSpec } from './spec.js';
import { type ArtifactRef, evaluationUri, publishLines, readJson } from './store/index.js';
import { supervised } from './supervision.js';
import { textModelOf } from './text-model.js';

export interface EvaluateInput {
  run: string;
  spec: ArtifactRef;
  policy: PolicyRef;
  /** `base`, `sft`, `phase-<k>` or `final`. */
  label: string;
  set: { name: string; data: ArtifactRef };
}

/** A line of evaluations/….responses.jsonl. */
export interface EvaluationResponses {
  id: string;
  responses: { ids: number[]; finish: 'stop' | 'length' }[];
}

/** Prompts handed to the engine at once: enough to batch well, few enough to show progress and to stop promptly. */
const CHUNK = 64;

export function evaluate(deps: EngineDependencies) {
  return ({ run, spec, policy, label, set }: EvaluateInput): Promise<ArtifactRef> =>
    supervised(`evaluating ${label} on ${set.name}`, async supervision => {
      const { store } = deps;
      const uri = evaluationUri(run, `${label}.${set.name}`, policy.name, 'responses.jsonl');
      const published = await store.find(uri);
      if (published) return published;

      const { evaluation, seed } = await readJson<RunSpec>(store, spec);
      const items = await readData<PromptItem>(store, set.data);
      const { stopIds } = await textModelOf(deps, run);
      await ensurePolicyLoaded(deps, policy, 'weights', supervision);
      const lines: EvaluationResponses[] = [];
      while (lines.length < items.length) {
        supervision.note(`evaluating ${label} on ${set.name}: ${lines.length} of ${items.length}`);
        const chunk = items.slice(lines.length, lines.length + CHUNK);
        const { groups } = await deps.engine.call(
          'generate',
          {
            // The policy is no part of the seed: all policies answer with the same luck.
            prompts: chunk.map(item => ({
              ids: item.promptIds,
              seed: [seed, 'evaluation', set.name, item.id].join('/'),
            })),
            group: evaluation.samples,
            sampling: { ...evaluation.sampling, stopIds },
          },
          supervision.call,
        );
        chunk.forEach((item, k) => {
          const responses = groups[k]!.responses.map(({ ids, finish }) => ({ ids, finish }));
          lines.push({ id: item.id, responses });
        });
      }
      supervision.check();
      return publishLines(store, uri, lines);
    });
}
