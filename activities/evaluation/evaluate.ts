/**
 * The responses of a local model to an evaluation set, published part by part: whoever goes on after a crash goes on with
 * the first part that is missing. Scoring them is another activity: it needs no accelerator.
 */
import type { PartList } from '../artifacts/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { Publications } from '../policies/index.js';
import { type ArtifactRef, jsonText, linesText } from '../store/index.js';
import { progressReporter, type Supervision, supervised } from '../supervision/index.js';
import { type Asked, type EvaluateInput, type EvaluationJob, evaluationJob } from './job.js';

/** A line of the responses of a local model. */
export interface EvaluationResponses {
  id: string;
  responses: { ids: number[]; finish: 'stop' | 'length' }[];
}

export function evaluate(deps: EngineDependencies) {
  return (input: EvaluateInput): Promise<ArtifactRef> =>
    supervised('evaluating', async supervision => {
      const { store } = deps;
      const job = await evaluationJob(deps, input, supervision);
      const published = await store.find(job.responsesUri());
      if (published) return published;
      const report = progressReporter(job.set, job.count);
      return Publications.during(store, supervision.check, async publications => {
        const list: PartList = { count: job.count, parts: [] };
        for await (const { from, lines } of job.parts()) {
          supervision.note(`evaluating ${job.title}: ${from} of ${job.count}`);
          report(from);
          const uri = job.responsesUri(from);
          const ref =
            (await store.find(uri)) ?? publications.text(uri, linesText(await answers(deps, job, lines, supervision)));
          list.parts.push({ ...ref, from, count: lines.length });
        }
        report(job.count);
        return publications.text(job.responsesUri(), jsonText(list));
      });
    });
}

async function answers(
  deps: EngineDependencies,
  job: EvaluationJob,
  lines: Asked[],
  supervision: Supervision,
): Promise<EvaluationResponses[]> {
  await job.load(supervision);
  const { groups } = await deps.engine.call(
    'generate',
    {
      prompts: lines.map(({ id, promptIds }) => ({ ids: promptIds, seed: job.seedOf(id) })),
      group: job.samples,
      sampling: { ...job.sampling, stopIds: job.stopIds },
    },
    supervision.call,
  );
  return lines.map(({ id }, k) => ({
    id,
    responses: groups[k]!.responses.map(({ ids, finish }) => ({ ids, finish })),
  }));
}
