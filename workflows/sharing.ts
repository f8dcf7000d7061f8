/**
 * How a run of a study takes what others have come to. Of two that come to the same thing at once one makes it: the study
 * gives turns, and whoever comes to what somebody was at before looks again before it begins.
 */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  type SignalDefinition,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { EvaluationRow } from '../activities/contract/index.js';
import type { ControlActivities } from '../activities/index.js';
import type { FindOutcomeInput, Outcome, StageOutcome } from '../activities/run/index.js';
import { turnGiven, turnOver, turnWanted } from './messages.js';
import { DATA, engineActivities } from './options.js';
import type { WorkClock } from './work-clock.js';

const { shareOutcome } = proxyActivities<ControlActivities>(DATA);
const { findOutcome } = engineActivities();

/** What is looked for and, if nobody has it, made. */
export interface Wanted<T> {
  ask: FindOutcomeInput;
  took(outcome: Outcome<T>): void;
  /** @returns what is to be shared too; null where it is no function of what was asked: others make their own */
  make(giveUpTurn: () => Promise<void>): Promise<{ result: T; share: StageOutcome | EvaluationRow[] | null }>;
}

export class Sharing {
  /** Turns that this run has: whether somebody had one before. */
  private readonly given = new Map<string, boolean>();
  private readonly run = workflowInfo().workflowId;

  constructor(private readonly clock: WorkClock) {
    setHandler(turnGiven, (key, again) => {
      this.given.set(key, again);
    });
  }

  async obtain<T extends StageOutcome | EvaluationRow[]>({ ask, took, make }: Wanted<T>): Promise<T> {
    const look = async () => {
      const { key, known } = await findOutcome(ask);
      if (known) took(known as Outcome<T>);
      return { key, known: known?.result as T | undefined };
    };
    const { key, known } = await look();
    if (known) return known;
    return this.inTurn(key, async (giveUp, again) => {
      const meanwhile = again ? (await look()).known : undefined;
      if (meanwhile) return meanwhile;
      const began = this.clock.read();
      const { result, share } = await make(giveUp);
      const { run, name } = ask;
      if (share) await shareOutcome({ run, key, name, seconds: (this.clock.read() - began) / 1000, result: share });
      return result;
    });
  }

  /** Does what one run at a time may do. */
  async inTurn<T>(key: string, work: (giveUp: () => Promise<void>, again: boolean) => Promise<T>): Promise<T> {
    const { parent } = workflowInfo();
    if (!parent) return work(async () => {}, false);
    await this.tell(turnWanted, key);
    await condition(() => this.given.has(key));
    const again = this.given.get(key)!;
    const giveUp = async () => {
      if (!this.given.delete(key)) return;
      await CancellationScope.nonCancellable(() => this.tell(turnOver, key));
    };
    try {
      return await work(giveUp, again);
    } finally {
      await giveUp();
    }
  }

  private async tell(signal: SignalDefinition<[string, string]>, key: string): Promise<void> {
    const study = getExternalWorkflowHandle(workflowInfo().parent!.workflowId);
    try {
      await study.signal(signal, this.run, key);
    } catch (error) {
      // Without a study nobody else is at work.
      log.warn('The study could not be told', { error: String(error) });
      if (signal === turnWanted) this.given.set(key, true);
    }
  }
}
