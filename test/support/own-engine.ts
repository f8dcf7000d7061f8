/** Our own engine in the test's process, as callers have it: no build is needed, and nothing outlives the test. */
import { PolicyEngine } from '../../activities/engine/process/policy-engine';
import type { Engine } from '../../activities/engine/protocol/index';

export function ownEngine(threads = 1): Engine {
  const { operations } = new PolicyEngine({ threads });
  return {
    call: (operation, request) => operations[operation](request, { checkpoint: async () => {} }),
    close: async () => {},
  };
}
