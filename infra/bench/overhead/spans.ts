/** When the engine, the judge and each activity of a worker were at work. */
import type { Dependencies, EngineDependencies } from '../../../activities/dependencies.js';
import type { CallOptions, Engine, EngineOperations, Operation } from '../../../activities/engine/protocol/index.js';
import type { RewardSettings } from '../../../activities/rewards/index.js';

/** Milliseconds since 1970 with their fractions: comparable between the processes of one machine. */
export interface Span {
  kind: 'engine' | 'judge' | 'activity';
  /** The operation or the activity. */
  name: string;
  from: number;
  to: number;
}

const now = (): number => performance.timeOrigin + performance.now();

type Activities = Record<string, (input: never) => Promise<unknown>>;

/** Notes spans as things pass through it. */
export class Recorder {
  readonly spans: Span[] = [];

  async note<T>(kind: Span['kind'], name: string, work: () => Promise<T>): Promise<T> {
    const from = now();
    try {
      return await work();
    } finally {
      this.spans.push({ kind, name, from, to: now() });
    }
  }

  activities(activities: object): Activities {
    return Object.fromEntries(
      Object.entries(activities as Activities).map(([name, run]) => [
        name,
        (input: never) => this.note('activity', name, () => run(input)),
      ]),
    );
  }

  engine(engine: Engine): Engine {
    return {
      call: <O extends Operation>(operation: O, request: EngineOperations[O][0], options?: CallOptions) =>
        this.note('engine', operation, () => engine.call(operation, request, options)),
      close: () => engine.close(),
    };
  }

  /** Rewards that nobody outside is asked for are the worker's own work. */
  judged<D extends Dependencies | EngineDependencies>(dependencies: D): D {
    return {
      ...dependencies,
      rewarder: (settings: RewardSettings) => {
        const rewarder = dependencies.rewarder(settings);
        const { asksOthers } = rewarder;
        if (!asksOthers) return rewarder;
        const reward: typeof rewarder.reward = (groups, options) =>
          this.note('judge', 'reward', () => rewarder.reward(groups, options));
        return { asksOthers, reward };
      },
    };
  }
}
