/**
 * Which engine takes a run's next step. Several at one task queue would take turns at a run, and each would first have to
 * redo what the others did; so a worker whose engine does not hold the policy hands the activity on at once, and the server
 * gives it to the one that has waited longest: the one that made the policy, most likely. Twice handed on it is taken by
 * any, for that one may be busy with another run, or dead.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Engine } from '../activities/engine/protocol.js';
import { holdsPolicy } from '../activities/policy.js';
import type { PolicyRef } from '../workflows/contract.js';

/** Tries that are handed on. */
const HANDS = 2;
/** In which whoever was about to ask for work has asked. */
const DELAY = '20 milliseconds';

export function handOn(engine: Engine): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        const { policy } = (input.args[0] ?? {}) as { policy?: PolicyRef };
        // An engine that does not answer is the activity's to deal with.
        const status = policy && info.attempt <= HANDS && (await engine.call('status', {}).catch(() => null));
        if (!status || holdsPolicy(status, policy.name)) return next(input);
        throw ApplicationFailure.create({
          message: `The engine holds ${status.tag ?? 'no policy'} and not ${policy.name}: handed on.`,
          type: 'HandedOn',
          category: ApplicationFailureCategory.BENIGN,
          nextRetryDelay: DELAY,
        });
      },
    },
  });
}
