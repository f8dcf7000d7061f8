/** How long a run still takes, from the steps seen so far. */
import type { Progress, StageProgress } from '../../activities/contract/index.js';

export interface TimeLeft {
  /** Seconds of the whole run; null while nothing can be said. */
  run: number | null;
  /** Seconds by stage name, for the stages that run. */
  stages: Record<string, number | null>;
}

/** Steps that stages will take, where the spec says it. */
export type PlannedSteps = Record<string, number>;

export class StepClock {
  /** Seconds of each step seen, by stage. */
  readonly #seconds = new Map<string, Map<number, number>>();

  constructor(readonly planned: PlannedSteps = {}) {}

  /** Takes note of the latest steps and says what is left. Evaluations have no steps and are not counted. */
  left(progress: Progress): TimeLeft {
    for (const stage of progress.stages) this.#note(stage);
    const stages = Object.fromEntries(progress.stages.map(stage => [stage.name, this.#stageLeft(stage)]));
    const trained = progress.stages.filter(stage => stage.kind !== 'evaluation');
    const open = trained.filter(stage => stage.state === 'waiting' || stage.state === 'running');
    const parts = open.map(stage => stages[stage.name] ?? null);
    const known = progress.state === 'running' && open.length > 0 && parts.every(part => part !== null);
    return { run: known ? parts.reduce<number>((sum, part) => sum + part!, 0) : null, stages };
  }

  #note({ name, latest }: StageProgress): void {
    if (!latest) return;
    const seen = this.#seconds.get(name) ?? new Map<number, number>();
    seen.set(latest.step, latest.seconds);
    this.#seconds.set(name, seen);
  }

  #stageLeft({ name, state, latest, kind }: StageProgress): number | null {
    const steps = latest?.steps ?? this.planned[name];
    const each = this.#medianStep(name, kind);
    if (state !== 'running' && state !== 'waiting') return null;
    return steps === undefined || each === null ? null : (steps - (latest?.step ?? 0)) * each;
  }

  /** Of the stage itself; before its first step, of the last phase that had one (a warm-up's steps are another matter). */
  #medianStep(name: string, kind: StageProgress['kind']): number | null {
    const own = this.#seconds.get(name);
    if (own) return median([...own.values()]);
    const phases = [...this.#seconds.entries()].filter(([other]) => kind === 'phase' && other.startsWith('phase-'));
    const last = phases.at(-1);
    return last ? median([...last[1].values()]) : null;
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
