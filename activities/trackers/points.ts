/** A point of a run's track, read: what is written to every tracker, each in its own way. */
import type { UpdateRecord } from '../artifacts/index.js';
import type { EvaluationRow } from '../contract/index.js';
import type { EvaluationResult } from '../evaluation/index.js';
import { entryAt } from '../policies/index.js';
import { readJson, type StageAttempt, type Store, specUri } from '../store/index.js';
import { evaluationMetrics, stepMetrics } from './metrics.js';
import { type Settings, settingsOf } from './settings.js';
import { evaluationText, rolloutsText, settingsText } from './texts.js';
import type { Mark, RunFacts } from './tracks.js';

export interface Point {
  kind: Mark['kind'];
  /** Its place on the x axis: steps over all stages. */
  at: number;
  /** When the store got it: the same whenever it is read. */
  time: Date;
  /** Of a step. */
  stage: StageAttempt | null;
  step: number | null;
  /** Of an evaluation: `base`, `sft`, `phase-<k>` or `final`. */
  label: string | null;
  metrics: Record<string, number>;
  /** Markdown. */
  texts: Record<string, string>;
  /** What the run is decided by; of a track's first point alone. */
  settings: Settings | null;
}

/** Of a stage's steps the first shows rollouts, and then every so many. */
const SAMPLE_EVERY = 10;

const BLANK = { stage: null, step: null, label: null, metrics: {}, texts: {}, settings: null };

/** Null of a step that is begun and not logged yet, and of what is being made again. */
export async function readPoint(store: Store, facts: RunFacts, mark: Mark): Promise<Point | null> {
  const { kind, at } = mark;
  if (kind === 'begin') {
    const time = await store.publishedAt(specUri(facts.run));
    const settings = settingsOf(facts.spec);
    return time && { ...BLANK, kind, at, time, texts: { settings: settingsText(settings) }, settings };
  }
  if (kind === 'step') {
    const { stage, step } = mark;
    const entry = await entryAt(store, stage, step);
    const time = entry && (await store.publishedAt(entry.ref.uri));
    if (!time) return null;
    const texts = await samples(store, facts, entry.record);
    return { ...BLANK, kind, at, time, stage, step, metrics: stepMetrics(entry.record), texts };
  }
  const { label, results } = mark;
  const rows: EvaluationRow[] = [];
  const times: number[] = [];
  for (const uri of results) {
    const ref = await store.find(uri);
    const time = ref && (await store.publishedAt(uri));
    if (!time) return null;
    rows.push((await readJson<EvaluationResult>(store, ref)).row);
    times.push(time.getTime());
  }
  const texts = { evaluation: evaluationText(rows) };
  return { ...BLANK, kind, at, time: new Date(Math.max(...times)), label, metrics: evaluationMetrics(rows), texts };
}

async function samples(store: Store, facts: RunFacts, record: UpdateRecord): Promise<Record<string, string>> {
  if ((record.step - 1) % SAMPLE_EVERY !== 0) return {};
  const text = await rolloutsText(store, facts.plan, record);
  return text === null ? {} : { rollouts: text };
}
