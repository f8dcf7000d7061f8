/** What takes too long to be read for one answer: read step by step in the background, while somebody looks. */
import { attemptUri, type StageAttempt, type Store } from '../../activities/store/index.js';
import { isDamage } from './errors.js';
import { Recent } from './recent.js';

/** Whoever looks asks again within this time; what nobody asks for any more is not read on. */
const PATIENCE_MS = 10_000;
/** Attempts whose steps are kept. */
const ATTEMPTS = 24;

export interface Gathered<T> {
  /** By step; those that could not be read are not among them. */
  known: ReadonlyMap<number, T>;
  /** Steps that are still to be read. */
  missing: number;
}

interface Wish {
  stage: StageAttempt;
  steps: number[];
  until: number;
}

/** A value of each step, which never changes once the step is logged. */
export class Gathering<T> {
  readonly #known = new Recent<{ values: Map<number, T>; unreadable: Set<number> }>(ATTEMPTS);
  readonly #wishes = new Map<string, Wish>();
  #working: Promise<void> | null = null;

  constructor(
    private readonly store: Store,
    private readonly read: (store: Store, stage: StageAttempt, step: number) => Promise<T>,
  ) {}

  /**
   * What is known by now of these steps; the others are read from now on.
   * @param waitMs so long at most it is waited for them
   */
  async of(stage: StageAttempt, steps: readonly number[], waitMs = 0): Promise<Gathered<T>> {
    const key = attemptUri(stage);
    const { values, unreadable } = this.#known.of(key, () => ({ values: new Map(), unreadable: new Set() }));
    const isNew = (step: number) => !values.has(step) && !unreadable.has(step);
    const missing = steps.filter(isNew);
    if (missing.length > 0) {
      this.#wishes.set(key, { stage, steps: coarseFirst(missing).reverse(), until: Date.now() + PATIENCE_MS });
      this.#working ??= this.#work().finally(() => {
        this.#working = null;
      });
      if (waitMs > 0) await Promise.race([this.#working, new Promise(resolve => setTimeout(resolve, waitMs))]);
    }
    return { known: values, missing: steps.filter(isNew).length };
  }

  async #work(): Promise<void> {
    for (let [wish] = this.#wishes; wish; [wish] = this.#wishes) {
      const [key, { stage, steps, until }] = wish;
      const step = steps.pop();
      if (step === undefined || Date.now() > until) {
        this.#wishes.delete(key);
        continue;
      }
      const kept = this.#known.get(key);
      if (!kept) return void this.#wishes.delete(key);
      try {
        kept.values.set(step, await this.read(this.store, stage, step));
      } catch (error) {
        // A store that is away is said by whoever asks for the page; the steps are read when it is back.
        if (!isDamage(error)) return this.#wishes.clear();
        kept.unreadable.add(step);
      }
    }
  }
}

/** Every 512th, then every 256th, …: a curve has its shape early. */
function coarseFirst(steps: readonly number[]): number[] {
  const rank = (k: number) => (k === 0 ? 32 : Math.min(31, 31 - Math.clz32(k & -k)));
  return steps
    .map((step, k) => ({ step, rank: rank(k) }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ step }) => step);
}
