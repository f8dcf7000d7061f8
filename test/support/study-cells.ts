/** What a run of a study came to, as tests would have it. */
import type { ReadCell } from '../../activities/studies/cells.js';

/** @param scores by policy's label, then by item, in percent @param items stands for the questions' hash */
export function readCell(
  variant: string,
  seed: number,
  scores: Record<string, ReadonlyMap<string, number>>,
  items = 'questions',
): ReadCell {
  const run = `study.${variant}.${seed}`;
  const ref = (name: string) => ({ uri: `store:runs/${run}/${name}`, sha256: `sha256 of ${run} ${name}` });
  const line = (step: number, reward: number) => ({
    step,
    skipped: null,
    parent: 'a',
    policy: 'b',
    sha256: 'c',
    counts: { meanReward: reward },
    metrics: [{ entropy: 0.5, kl: 0.001, gradNorm: 2 }],
  });
  const steps = [{ stage: 'phase-1', lines: [line(1, 0.1 * seed), line(2, 0.2 * seed)] }];
  return {
    cell: {
      ...{ run, variant, seed },
      policy: { name: 'policy', sha256: `${run} weights` },
      result: ref('result.json'),
      parts: [{ name: 'phase-1', key: `${variant} ${seed}`, of: run, seconds: 60 }],
      logs: [{ stage: 'phase-1', steps: ref('phase-1/1/steps.jsonl') }],
      evaluations: Object.keys(scores).map(label => ({
        ...{ label, set: 'set', items, meanPromptTokens: 100 },
        result: ref(`evaluations/${label}.set.json`),
      })),
    },
    scores: Object.values(scores),
    steps: steps as unknown as ReadCell['steps'],
  };
}
