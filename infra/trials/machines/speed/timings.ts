/** What a step and an evaluation took, from the times of their activities. */
import type { Completed } from '../completed.js';

export interface Timings {
  /** Seconds, mean over the steps but the first, in which engines start: from the first shard asked for to all gathered. */
  sampling: number;
  /** From asked for to done. */
  update: number;
  evaluation: number;
  /** Of the shards themselves, as the workers had them in hand. */
  rollouts: number[];
  evaluated: number[];
  /** Gathering and scoring, which nobody shares. */
  between: number;
}

const seconds = (from: number, to: number): number => (to - from) / 1000;
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

/** @param completed of a run whose steps have one round each */
export function timingsOf(completed: readonly Completed[]): Timings {
  const of = (activity: string) =>
    completed.filter(one => one.activity === activity).sort((a, b) => a.scheduled - b.scheduled);
  const [gathers, updates, scores] = [of('gatherRollouts'), of('update'), of('score')];
  const steps = gathers.map(({ ended }, k) => {
    const after = gathers[k - 1]?.ended ?? 0;
    const shards = of('rollout').filter(({ scheduled }) => scheduled > after && scheduled < ended);
    return { shards, sampling: seconds(Math.min(...shards.map(({ scheduled }) => scheduled)), ended) };
  });
  const later = steps.slice(1);
  const [answers, gathered] = [of('evaluate'), of('gatherResponses')];
  const took = ({ started, ended }: Completed) => seconds(started, ended);
  return {
    sampling: mean(later.map(({ sampling }) => sampling)),
    update: mean(updates.slice(1).map(({ scheduled, ended }) => seconds(scheduled, ended))),
    evaluation: seconds(answers[0]!.scheduled, gathered[0]!.ended),
    rollouts: later.flatMap(({ shards }) => shards.map(took)),
    evaluated: answers.map(took),
    between: mean([...gathers, ...scores].slice(1).map(({ scheduled, ended }) => seconds(scheduled, ended))),
  };
}
