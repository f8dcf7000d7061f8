/**
 * The points of a run in their order, as far as the store has them. A run has one track, and another for each stage that
 * was begun anew: a track only ever grows at its end, which is what makes "written exactly once" a matter of counting.
 */
import { isEvaluated, labelAfter, type PolicyRef } from '../contract/index.js';
import { attemptsOf, entryAt, stepNumbers } from '../policies/index.js';
import { type RunPlan, stageNames } from '../run/index.js';
import type { RunSpec } from '../spec/index.js';
import {
  baseUri,
  evaluationUri,
  planUri,
  readJson,
  resultUri,
  type StageAttempt,
  type Store,
  specUri,
  stepUri,
  storeUri,
} from '../store/index.js';

/** A point that is there, or will be in a moment. `at` is its place on the x axis: steps over all stages. */
export type Mark = { at: number } & (
  | { kind: 'begin' }
  | { kind: 'step'; stage: StageAttempt; step: number }
  /** Uris of the results, a set each. */
  | { kind: 'evaluation'; label: string; results: string[] }
);

export interface Track {
  /** The run's name; of a stage begun anew `RUN@STAGE.ATTEMPT`. */
  name: string;
  marks: Mark[];
}

export interface Tracks {
  tracks: Track[];
  /** Whether the run is over and all of it is here. */
  isWhole: boolean;
  /** What should be there and is not, though the run has gone on since: nothing after it is given. */
  lacks: string | null;
}

/** What never changes of a run. */
export interface RunFacts {
  run: string;
  spec: RunSpec;
  plan: RunPlan;
}

export class RunTracks {
  readonly #store: Store;
  readonly #facts: RunFacts;
  /** Of attempts that no longer grow: their steps, and the policy that each ended with. */
  readonly #steps = new Map<string, number[]>();
  readonly #policies = new Map<string, string>();

  private constructor(store: Store, facts: RunFacts) {
    this.#store = store;
    this.#facts = facts;
  }

  get facts(): RunFacts {
    return this.#facts;
  }

  /** Null of a run that has no plan in the store yet. */
  static async of(store: Store, run: string): Promise<RunTracks | null> {
    const [spec, plan] = await Promise.all([store.find(specUri(run)), store.find(planUri(run))]);
    if (!spec || !plan) return null;
    const facts = { run, spec: await readJson<RunSpec>(store, spec), plan: await readJson<RunPlan>(store, plan) };
    return new RunTracks(store, facts);
  }

  /** Asked again, it gives what it gave and what has come since. */
  async read(): Promise<Tracks> {
    const { run, spec, plan } = this.#facts;
    // In this order: a stage that has a later one beside it is then read to its end.
    const isOver = await this.#store.has(resultUri(run));
    const attempts = await attemptsOf(this.#store, run);
    const results = new Set(await this.#store.list(storeUri('runs', run, 'evaluations')));
    const stages = stageNames(spec).slice(stageNames(spec).indexOf(plan.branch?.first ?? stageNames(spec)[0]!));

    let track: Track = { name: run, marks: [{ kind: 'begin', at: 0 }] };
    const tracks = [track];
    const evaluated = async (label: string, at: number, policy: () => Promise<string | null>): Promise<boolean> => {
      if (!isEvaluated(this.#facts.plan, label)) return true;
      const name = results.size > 0 ? await policy() : null;
      const uris = plan.data.sets.map(set => evaluationUri(run, `${label}.${set.name}`, name ?? 'none', 'json'));
      if (!uris.every(uri => results.has(uri.split('/').at(-1)!))) return false;
      track.marks.push({ kind: 'evaluation', at, label, results: uris });
      return true;
    };

    let at = 0;
    const goesOn = (k: number) => isOver || attempts.some(({ stage }) => stages.indexOf(stage) >= k);
    const upTo = (label: string, hasGoneOn: boolean): Tracks => {
      return { tracks, isWhole: false, lacks: hasGoneOn ? `the evaluation "${label}"` : null };
    };
    if (!plan.branch && !(await evaluated('base', at, () => this.#base()))) return upTo('base', goesOn(0));
    for (const [k, stage] of stages.entries()) {
      const own = attempts.filter(attempt => attempt.stage === stage);
      const from = at;
      for (const [n, attempt] of own.entries()) {
        if (n > 0) {
          track = { name: `${run}@${stage}.${attempt.attempt}`, marks: [{ kind: 'begin', at: from }] };
          tracks.push(track);
        }
        const steps = await this.#stepsOf(attempt, n < own.length - 1 || goesOn(k + 1));
        for (const step of steps) track.marks.push({ kind: 'step', at: from + step, stage: attempt, step });
        at = from + (steps.at(-1) ?? 0);
      }
      const last = own.at(-1);
      const label = labelAfter(stage, k === stages.length - 1);
      if (!last || !(await evaluated(label, at, () => this.#policyAfter(last, at - from)))) {
        return upTo(label, goesOn(k + 1));
      }
    }
    return { tracks, isWhole: isOver, lacks: null };
  }

  async #stepsOf(attempt: StageAttempt, isEnded: boolean): Promise<number[]> {
    const key = `${attempt.stage}/${attempt.attempt}`;
    const known = this.#steps.get(key);
    if (known) return known;
    const steps = await stepNumbers(this.#store, attempt);
    if (!isEnded) return steps;
    // A step that an attempt was given up in has its rollouts alone.
    while (steps.length > 0 && !(await this.#wasLogged(attempt, steps.at(-1)!))) steps.pop();
    this.#steps.set(key, steps);
    return steps;
  }

  async #wasLogged(stage: StageAttempt, step: number): Promise<boolean> {
    const uri = stepUri(stage, step, 'update.json');
    return (await this.#store.has(uri)) || (await this.#store.recorded(uri)) !== null;
  }

  async #base(): Promise<string | null> {
    const ref = await this.#store.find(baseUri(this.#facts.run));
    return ref && (await readJson<PolicyRef>(this.#store, ref)).name;
  }

  /** Null where the step is not logged yet. */
  async #policyAfter(stage: StageAttempt, step: number): Promise<string | null> {
    const uri = stepUri(stage, step, 'update.json');
    const known = this.#policies.get(uri);
    if (known) return known;
    const name = step > 0 ? ((await entryAt(this.#store, stage, step))?.record.result.name ?? null) : null;
    if (name) this.#policies.set(uri, name);
    return name;
  }
}
