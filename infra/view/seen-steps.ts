/** What has been seen of a run's curves while it was watched: a report for each step that was told of. */
import type { Progress, StepReport } from '../../activities/contract/index.js';

export class SeenSteps {
  readonly #reports = new Map<string, StepReport[]>();

  note({ stages }: Progress): void {
    for (const { name, attempt, latest } of stages) {
      if (!latest) continue;
      const key = `${name} ${attempt}`;
      const reports = this.#reports.get(key) ?? [];
      if (reports.at(-1)?.step !== latest.step) reports.push(latest);
      this.#reports.set(key, reports);
    }
  }

  /** Of the stage's attempt, in the order seen; steps without one left out. */
  values(stage: string, attempt: number, of: 'reward' | 'loss'): number[] {
    return (this.#reports.get(`${stage} ${attempt}`) ?? []).flatMap(report => report[of] ?? []);
  }
}
