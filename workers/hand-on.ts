/**
 * Which engine takes a run's next step. Several at one task queue would take turns at a run, and each would first have to
 * redo what the others did; so a worker whose engine does not hold the policy hands the activity on at once, and the server
 * gives it to the one that has waited longest: the one that made the policy, most likely. Twice handed on it is taken by
 * any, for that one may be busy with another run, or dead. Where a run's work is cut into shards, so many more engines may
 * stand before it.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';

/** Tries that are handed on, where nothing is cut. */
const HANDS = 2;
/** In which whoever was about to ask for work has asked. */
const DELAY = '20 milliseconds';

/** For activities, before they load a policy that the engine does not hold. */
export function handOn(wanted: string, held: string | null, shards = 1): void {
  const hands = shards === 1 ? HANDS : HANDS + shards;
  if (Context.current().info.attempt > hands) return;
  throw ApplicationFailure.create({
    message: `The engine holds ${held ?? 'no policy'} and not ${wanted}: handed on.`,
    type: 'HandedOn',
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: DELAY,
  });
}
