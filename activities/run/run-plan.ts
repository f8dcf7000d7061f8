/** What the first activity of a run decides, and every other goes by. */
import type { EngineKind, PolicyRef } from '../contract/index.js';
import type { CheckpointSettings, ExportSettings, RunSpec } from '../spec/index.js';
import type { ArtifactRef } from '../store/index.js';

/** A stage as it stands: a run that starts again goes on with the attempt it had reached. */
export interface StagePlan {
  /** `warmup` or `phase-<k>`. */
  name: string;
  attempt: number;
  overrides: Record<string, unknown>;
}

export interface RunPlan {
  spec: ArtifactRef;
  /** The base model, pinned: a revision of the Hub that moves is not followed. */
  model: string;
  data: {
    train: ArtifactRef;
    warmup: ArtifactRef | null;
    /** With the number of their items; plans of earlier versions are without. */
    sets: { name: string; data: ArtifactRef; count?: number }[];
    /** A RunDataSummary; earlier versions wrote none. */
    summary?: ArtifactRef;
  };
  stages: StagePlan[];
  /** As the run was last started with; in histories of earlier versions those of its spec. */
  checkpoints?: CheckpointSettings;
  /** As the run was last started with; absent where its work is not cut. */
  shards?: number;
  /** Where its metrics go; absent: nowhere. */
  exportTo?: ExportSettings;
  /** Which trains it; absent of the workers' own. */
  engine?: EngineKind;
  /** Of a run of a study: what it comes to is shared with others. */
  share?: true;
  evaluate: RunSpec['evaluation']['policies'];
  counts: DataCounts;
  /** Of a run that branches off another: which, and what it begins with. */
  branch?: {
    of: string;
    first: string;
    policy: PolicyRef;
    /** Of the phases before. */
    difficulties: ArtifactRef[];
  };
}

export interface DataCounts {
  train: number;
  /** Training samples longer than the last phase's band, which no phase uses. */
  beyondLastPhase: number;
  /** Samples in each phase's own band. */
  bands: number[];
  warmup: number;
  /** Warm-up samples left out because their prompt is too long or they have no trace. */
  warmupLeftOut: number;
  /** Prompts that lost their middle, and malformed records left out, over all sources; not counted by earlier versions. */
  cut?: number;
  skipped?: number;
}
