/** What the activities work with. Workers wire the real ones; tests put in what they like. */
import type { OpenedSource, Source } from './datasets/index.js';
import type { Engine, TrainingService } from './engine/protocol/index.js';
import type { Numerics } from './provenance/index.js';
import type { Environment } from './remote/index.js';
import type { Rewarder, RewardSettings } from './rewards/index.js';
import type { ExportSettings } from './spec/index.js';
import type { Store } from './store/index.js';
import type { Observer } from './telemetry/index.js';
import type { Models } from './text/index.js';

export interface Dependencies {
  store: Store;
  models: Models;
  /** A source's samples with a summary of what was read; fetched first where it lies on the Hub. */
  openSource(source: Source, signal: AbortSignal): OpenedSource;
  /** What rewards responses, as a spec says. */
  rewarder(settings: RewardSettings): Rewarder;
  /** Where the keys of endpoints are, by the names that specs give: never in a spec, a message or the store. */
  environment: Environment;
  /** Where metrics of runs go whose specs do not say; absent: nowhere. */
  exportTo?: ExportSettings;
  /** A preset's spec as written. Throws if there is none of that name. */
  readPreset(name: string): Promise<unknown>;
  /** Who hears of what is done; absent where nobody measures it. */
  observer?: Observer;
}

/** What policies are loaded and trained with. */
export type PolicyDependencies = Pick<EngineDependencies, 'store' | 'engine' | 'service' | 'numerics' | 'handOn'>;

/** The activities that need the model itself. */
export interface EngineDependencies extends Dependencies {
  engine: Engine;
  /** Its other side where it is a training service of others; absent of the workers' own. */
  service?: TrainingService;
  /** What it computes as, for the log; absent where that was not measured. */
  numerics?: Numerics;
  /**
   * Asked before the engine loads a policy that it does not hold; throws where the activity is to be given to an engine
   * that may hold it. Absent where there is no other.
   * @param shards how many the run's work is cut into
   */
  handOn?: (wanted: string, held: string | null, shards: number) => void;
}
