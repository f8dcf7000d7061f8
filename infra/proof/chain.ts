/** Checks a run's redo log without an engine: that each step follows from the one before, and that what it names is there unharmed. */
import {
  type RolloutGroup,
  readData,
  type ScoredRollouts,
  sampledBy,
  type UpdateRecord,
} from '../../activities/artifacts/index.js';
import type { PolicyRef } from '../../activities/contract/index.js';
import { type LogEntry, openSnapshot, policyName, snapshotUri } from '../../activities/policies/index.js';
import { MissingArtifactError, readLines, type Store } from '../../activities/store/index.js';

/** What is wrong with one step; none if nothing is. */
export type Problem = string;

/** Follows the steps in the order of the log, which is the order to hand them in. */
export class ChainCheck {
  private before: LogEntry | null = null;
  /** The policies there are so far, by name. */
  private readonly made = new Map<string, PolicyRef>();

  /** @param beginnings the policies that no step of the run made */
  constructor(
    private readonly store: Store,
    beginnings: readonly PolicyRef[],
  ) {
    for (const policy of beginnings) this.made.set(policy.name, policy);
  }

  async problemsOf(entry: LogEntry): Promise<Problem[]> {
    const { record } = entry;
    const problems = [...this.order(entry), ...this.identity(record), ...(await this.inputs(record))];
    if (await this.store.has(snapshotUri(record.result))) problems.push(...(await this.snapshot(record.result)));
    this.before = entry;
    this.made.set(record.result.name, record.result);
    return problems;
  }

  private order({ stage, step, record }: LogEntry): Problem[] {
    const { before } = this;
    const { parent } = record.inputs;
    const goesOn = before?.stage.stage === stage.stage && before.stage.attempt === stage.attempt;
    if (goesOn && step !== before.step + 1) return [`follows step ${before.step}: those between are missing`];
    if (!goesOn && step !== 1) return [`is the first of its attempt in the log, but not step 1`];
    if (goesOn && parent.name !== before.record.result.name) {
      return [`starts from policy ${parent.name}, but step ${before.step} ended with ${before.record.result.name}`];
    }
    const { sampler } = record.inputs;
    if (sampler && (!goesOn || sampler.name !== before.record.inputs.parent.name))
      return [`names policy ${sampler.name} as its sampler, which the step before did not begin with`];
    const known = this.made.get(parent.name);
    if (!known) return [`starts from policy ${parent.name}, which no earlier step made`];
    return known.sha256 === parent.sha256
      ? []
      : [`names its parent's weights ${parent.sha256}; they are ${known.sha256}`];
  }

  private identity({ inputs, result, skipped }: UpdateRecord): Problem[] {
    const name = skipped ? inputs.parent.name : policyName(inputs);
    return name === result.name ? [] : [`is logged as policy ${result.name}; its inputs and settings make ${name}`];
  }

  /** Reads everything the step was made from, which compares it with the logged hashes. */
  private async inputs({ inputs }: UpdateRecord): Promise<Problem[]> {
    const problems: Problem[] = [];
    const seen = new Set<number>();
    try {
      if (inputs.examples) await readData(this.store, inputs.examples.data);
      for (const [round, { rollouts, scores }] of inputs.rounds.entries()) {
        const groups = await readLines<RolloutGroup>(this.store, rollouts);
        const scored = await readLines<ScoredRollouts>(this.store, scores);
        if (groups.length !== scored.length) problems.push(`has ${groups.length} groups, but ${scored.length} scores`);
        for (const { policy, cursor } of groups) {
          const sampler = sampledBy(inputs, round);
          const whose = sampler === inputs.parent ? 'its parent' : 'its sampler';
          if (policy !== sampler.name) problems.push(`has rollouts of policy ${policy}, not of ${whose}`);
          if (seen.has(cursor)) problems.push(`counts the draw at ${cursor} twice`);
          seen.add(cursor);
        }
      }
    } catch (error) {
      problems.push((error as Error).message);
    }
    return [...new Set(problems)];
  }

  private async snapshot(policy: PolicyRef): Promise<Problem[]> {
    try {
      await openSnapshot(this.store, policy);
      return [];
    } catch (error) {
      // Removed since it was looked for, by a stage that has newer ones.
      if (error instanceof MissingArtifactError && error.uri === snapshotUri(policy)) return [];
      return [(error as Error).message];
    }
  }
}
