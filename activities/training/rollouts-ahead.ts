/**
 * The first round of a step, sampled while the update before it is taken: by the policy that the update is taken from, which
 * its engine keeps for this. So a service whose sampler and trainer are apart is busy with both. What is logged says who
 * sampled, and if only one of the two is done when a worker ends, the other is done by whoever goes on.
 */
import { promptsToDraw } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { EngineLostError, type Sampler } from '../engine/protocol/index.js';
import { type Publications, samplerOf } from '../policies/index.js';
import type { RunSpec } from '../spec/index.js';
import { fenceOf, linesText } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { timed } from '../telemetry/index.js';
import { phaseOf } from './phase-of.js';
import { type StepInput, sampleRound } from './rollout.js';

/** Where the next step begins to draw. */
export type Ahead = Pick<StepInput, 'data' | 'pool' | 'cursor'>;

type StepOf = Pick<StepInput, 'stage' | 'spec' | 'policy' | 'entry' | 'step'> & { ahead?: Ahead | undefined };

export class RolloutsAhead {
  private readonly ending = new AbortController();
  private sampling: Promise<void> | null = null;

  /** @param input of the step whose update it is beside */
  constructor(
    private readonly deps: EngineDependencies,
    private readonly spec: RunSpec,
    private readonly input: StepOf,
    private readonly supervision: Supervision,
    private readonly publications: Publications,
  ) {}

  /** Begins, where it is asked for. The engine must hold the policy, and not yet be at the update. */
  async begin(): Promise<void> {
    const { ahead, policy } = this.input;
    if (!ahead) return;
    const sampler = await samplerOf(this.deps, policy, this.supervision);
    if (!sampler) throw new EngineLostError(`the engine can no longer sample from policy ${policy.name}`);
    const { call } = this.supervision;
    const signal = AbortSignal.any([call.signal, this.ending.signal]);
    const supervision = { ...this.supervision, call: { ...call, signal } };
    this.sampling = timed(this.deps, 'rollout', () => this.sample(ahead, sampler, supervision));
    this.sampling.catch(() => {});
  }

  private async sample(ahead: Ahead, sampler: Sampler, supervision: Supervision): Promise<void> {
    const { stage, spec, policy, entry, step } = this.input;
    const { promptsPerStep } = phaseOf(this.spec, stage.stage).rl;
    const count = promptsToDraw(promptsPerStep, { drawn: 0, effective: 0 });
    const round = { stage, spec, policy, entry, ...ahead, step: step + 1, refill: 0, count };
    const { groups, published, uri } = await sampleRound(this.deps, this.spec, round, supervision, { sampler });
    if (!published) this.publications.text(uri, linesText(groups), fenceOf(stage));
  }

  /** When it is sampled, or at once where it was not begun. Throws what kept it from that. */
  async done(): Promise<void> {
    await this.sampling;
  }

  /** Ends it: there is no policy that it is ahead of. */
  async abandon(): Promise<void> {
    this.ending.abort(new Error('the update that this is beside failed'));
    await this.sampling?.catch(() => {});
  }
}
