/** The results of an evaluation that belongs to no run, each by a label of its own. */
import { type EvaluationRecord, recordsOf } from '../../activities/evaluation/index.js';
import type { Store } from '../../activities/store/index.js';

export interface LabelledRecord {
  /** The model's, and the firing where several firings of a schedule are called alike. */
  label: string;
  record: EvaluationRecord;
}

/** In order; none where the store has no finished evaluation of that name. */
export async function labelledRecords(store: Store, name: string): Promise<LabelledRecord[]> {
  const records = (await recordsOf(store, name)).map(({ record }) => record);
  const labels = records.map(({ label }) => label);
  const isShared = (label: string) => labels.filter(one => one === label).length > 1;
  return records.map(record => {
    const { label, firing } = record;
    return { label: firing !== null && isShared(label) ? `${label}, ${firing}` : label, record };
  });
}
