/** What a prepared evaluation works from: artifacts' types, and where they lie. */
import type { BenchmarkName } from '../benchmarks/index.js';
import type { EngineKind, PolicyRef } from '../contract/index.js';
import type { DataSummary, Task } from '../datasets/index.js';
import type { ChatSettings } from '../remote/index.js';
import type { ArtifactRef } from '../store/index.js';
import type { Rendered } from '../text/index.js';
import type { MemoryPrompt } from './memory.js';

/** The model, pinned: equal plans evaluate equal models. */
export type EvaluatedModel =
  /** `engine` is the run's, absent of the workers' own. */
  | { kind: 'policy'; run: string; policy: PolicyRef; engine?: EngineKind }
  /** `source` names the folder again on any worker; `sha256` is of the weights. */
  | { kind: 'folder'; source: string; sha256: string }
  | { kind: 'remote'; endpoint: ChatSettings };

/** evaluations/<name>/<label>/plan.json */
export interface EvaluationPlan {
  name: string;
  /** The evaluation's folder within `name`: the model's label or, of a schedule, the firing. */
  folder: string;
  /** The model's name in tables. */
  label: string;
  /** Of an evaluation that a schedule started. */
  schedule: string | null;
  spec: ArtifactRef;
  model: EvaluatedModel;
  sets: PlannedSet[];
}

export interface PlannedSet {
  name: string;
  /** Whose official metrics are taken. */
  metric: BenchmarkName;
  count: number;
  /** What was read, by files and their hashes, and what was left out of it. */
  source: DataSummary;
  /** Lines of EvaluationItem: the same for every model. */
  items: ArtifactRef;
  /** A PartList of PromptLine: as this model is asked. */
  prompts: ArtifactRef;
}

/** A line of items/<set>.<hash>.jsonl. */
export interface EvaluationItem {
  id: string;
  task: Task;
  question: string;
  answers: string[];
  /** Of the documents' titles and texts, before anything is cut. */
  documentsSha256: string;
}

/** One item as the model is asked: ids for a local model, text for a remote one; where a memory is kept, its chunks for both. */
export interface PromptLine extends Rendered {
  id: string;
  promptIds?: number[];
  text?: string;
  memory?: MemoryPrompt;
  /** The prompt's length in tokens, or all chunks'; null where no tokenizer is known. */
  tokens: number | null;
  /** Tokens that the documents lost from their middle. */
  cut: number;
}
