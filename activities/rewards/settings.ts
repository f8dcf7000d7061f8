/** How responses are rewarded: the part of a spec that training and evaluation share. */
import { z } from 'zod';
import { SCORERS } from './rules.js';

export const rewardSchema = z.strictObject({
  /** `hardened`, or `qwenlong-l1`: what the authors' code gives, holes included, for numbers that compare with theirs. */
  scorer: z.enum(SCORERS).default('hardened'),
});

export type RewardSettings = z.output<typeof rewardSchema>;
