/**
 * The model that holds the policy: every call of it goes through the journal, and its weights are looked at again before
 * anything rests on them. A service may have been started anew since, may have put back older weights, or may let other
 * models' steps reach this one: none of that it says by itself.
 */
import { EngineLostError } from '../protocol/index.js';
import {
  after,
  type CallLog,
  type Checkpoint,
  type JournalRecord,
  type KeptSampler,
  type ModelState,
} from './journal.js';
import { RemoteModel } from './remote-model.js';
import type { Service } from './wire/service.js';

/** The weights that the service holds are not the policy's. */
export class OtherWeightsError extends EngineLostError {}

/** Ids that every vocabulary has: the sequence whose log-probabilities tell one state of the weights from another. */
export const CANARY: readonly number[] = [5, 17, 33, 3, 42, 7, 11, 29];

/** Log-probabilities that differ more than equal calls do, so many times over, are of other weights. */
const MARGIN = 20;
/** Nats: what equal calls may differ by, on a service whose trial happened to find less. */
const LEAST_SPREAD = 1e-6;
/** Milliseconds for which a look is good. */
const FRESH = 30_000;

export class HeldModel {
  private looked: { at: number; breaks: number } | null = null;

  constructor(
    private readonly service: Service,
    private readonly log: CallLog,
    private current: ModelState,
    private readonly now: () => number,
  ) {}

  get state(): ModelState {
    return this.current;
  }

  async record(record: JournalRecord): Promise<void> {
    await this.log.append(record);
    this.current = after(this.current, record)!;
  }

  calls(signal: AbortSignal | undefined): RemoteModel {
    const numbers = async (what: string) => {
      const seq = this.current.nextSeq;
      await this.record({ kind: 'call', seq, what });
      return seq;
    };
    return new RemoteModel(this.service, this.current.id, numbers, signal);
  }

  /**
   * Looks at the weights.
   * @param fresh whether a look of just now will do, if no connection broke since
   * @throws EngineLostError where they are not the policy's, or the service no longer has them
   */
  async expectUnchanged(signal: AbortSignal | undefined, fresh = false): Promise<void> {
    const { looked } = this;
    if (fresh && looked && looked.breaks === this.service.breaks && this.now() - looked.at < FRESH) return;
    await this.expectPolicy(signal);
  }

  /** The same, now. */
  async expectPolicy(signal: AbortSignal | undefined): Promise<void> {
    const far = distance(this.current.canary, await this.look(signal));
    if (far <= MARGIN * Math.max(this.current.meaning.spread, LEAST_SPREAD)) return;
    this.looked = null;
    throw new OtherWeightsError(
      `the weights that ${this.service.name} holds are not the policy's: log-probabilities are ${far.toExponential(1)} nats away from what they were. ` +
        'Was it started again with an older checkpoint, or do other models there reach this one?',
    );
  }

  /** Log-probabilities of the canary. */
  async look(signal: AbortSignal | undefined): Promise<number[]> {
    const { breaks } = this.service;
    const [logprobs] = await this.calls(signal).forward([CANARY]);
    this.looked = { at: this.now(), breaks };
    return [...logprobs!];
  }

  /**
   * Ends what was begun: the model holds this policy, which is saved on the service before it counts.
   * @param breaks of connections when it was begun
   * @throws EngineLostError where one broke since: the service may have put back what it held before
   */
  async done(
    { tag, step, checkpoint }: { tag: string; step: number; checkpoint?: Checkpoint | undefined },
    breaks: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const canary = await this.look(signal);
    const saved = checkpoint ?? { path: await this.calls(signal).save('save_weights'), kept: false };
    if (this.service.breaks !== breaks)
      throw new EngineLostError(
        `${this.service.name} was away meanwhile: what it holds is not known, and the policy before is had back`,
      );
    await this.record({ kind: 'done', tag, step, canary, checkpoint: saved });
  }

  /** Where the service keeps the policy to sample from: saved now, unless it was. */
  async sampler(signal: AbortSignal | undefined): Promise<string> {
    if (this.current.sampler === null)
      await this.record({ kind: 'sampler', path: await this.calls(signal).save('save_weights_for_sampler') });
    return this.current.sampler!;
  }

  /** The same, kept when the policy is another. */
  async keepSampler(signal: AbortSignal | undefined): Promise<KeptSampler> {
    const path = await this.sampler(signal);
    const sampler = { tag: this.current.tag!, path, directory: this.current.directory };
    await this.record({ kind: 'beside', sampler });
    return sampler;
  }

  /** What is kept beside it is so no longer. */
  async dropSampler(): Promise<void> {
    await this.record({ kind: 'beside', sampler: null });
  }
}

/** Largest difference; infinite where one is not a number. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
  }
  return largest;
}
