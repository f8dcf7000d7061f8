/**
 * The responses of a local model to an evaluation set, or to a shard of it, published part by part: whoever goes on after a crash goes on with
 * the first part that is missing. Scoring them is another activity: it needs no accelerator.
 */
import type { PartList } from '../artifacts/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { Publications } from '../policies/index.js';
import { type ArtifactRef, jsonText, linesText } from '../store/index.js';
import { progressReporter, type Supervision, supervised } from '../supervision/index.js';
import { type Asked, type EvaluateInput, type EvaluationJob, evaluationJob } from './job.js';
import type { Reading } from './memory.js';
import { readingAnswers } from './read-local.js';

/** A line of the responses of a local model. */
export interface EvaluationResponses {
  id: string;
  /** `reading`: of what was read chunk by chunk. */
  responses: { ids: number[]; finish: 'stop' | 'length'; reading?: Reading }[];
}

export function evaluate(deps: EngineDependencies) {
  return (input: EvaluateInput): Promise<ArtifactRef> =>
    supervised('evaluating', async supervision => {
      const { store } = deps;
      const job = await evaluationJob(deps, input, supervision);
      const published =
        (input.shard && (await store.find(job.allResponsesUri))) ?? (await store.find(job.responsesUri()));
      if (published) return published;
      const report = progressReporter(job.set, job.count, input.shard?.index);
      return Publications.during(store, supervision.check, async publications => {
        const list: PartList = { count: job.count, parts: [] };
        let done = 0;
        for await (const part of job.parts()) {
          const { from, lines } = part;
          supervision.note(`evaluating ${job.title}: ${done} of ${job.asked}`);
          report(done);
          const uri = job.responsesUri({ from, count: lines.length });
          const ref =
            (await store.find(uri)) ?? publications.text(uri, linesText(await answers(deps, job, part, supervision)));
          list.parts.push({ ...ref, from, count: lines.length });
          done += lines.length;
        }
        report(done);
        return publications.text(job.responsesUri(), jsonText(list));
      });
    });
}

async function answers(
  deps: EngineDependencies,
  job: EvaluationJob,
  part: { from: number; lines: Asked[] },
  supervision: Supervision,
): Promise<EvaluationResponses[]> {
  if (job.reader) return readingAnswers(deps, job, job.reader, part, supervision);
  const { lines } = part;
  await job.load(supervision);
  const { groups } = await deps.engine.call(
    'generate',
    {
      prompts: lines.map(({ id, promptIds }) => ({ ids: promptIds!, seed: job.seedOf(id) })),
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
