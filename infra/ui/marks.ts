/** What happened to a run on its way: stages replayed, activities tried again, files of a whole stage that were damaged. */
import { attemptUri, originalOf, type Store } from '../../activities/store/index.js';
import type { RunHistories } from './history.js';
import type { RunMark } from './history-events.js';
import type { StoredRun } from './stages.js';

export const repairedText = (file: string): string => `${file} was damaged and made again`;

export class RunMarks {
  constructor(
    private readonly store: Store,
    private readonly histories: RunHistories,
  ) {}

  /** From the store; retries and workers that were lost also from the workflows' histories, as far as these are known. */
  async of({ run, stages }: StoredRun): Promise<RunMark[]> {
    const marks: RunMark[] = [];
    for (const { stage } of stages) {
      const { stage: name, attempt } = stage;
      if (attempt > 1) {
        const text = `${name} was replayed: this is attempt ${attempt}`;
        marks.push({ stage: name, attempt, step: 1, kind: 'replay', text });
      }
      for (const file of await this.store.list(attemptUri(stage))) {
        const original = originalOf(file);
        if (original === null) continue;
        marks.push({ stage: name, attempt, step: 1, kind: 'recovery', text: repairedText(original) });
      }
    }
    return [...marks, ...(await this.histories.known(run)).marks];
  }
}
