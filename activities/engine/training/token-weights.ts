/** How much each token of each response counts in a mini-batch's loss. In 64 bits. */
import type { WeightingSettings } from '../protocol/index.js';

/** From the lengths of each group's responses to the weight that every token of a response has: a number a response. */
export type TokenWeighting = (lengths: readonly (readonly number[])[], settings: WeightingSettings) => number[][];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Mean over groups of the mean over responses of the mean over tokens (GRPO, arXiv 2402.03300, eq. 3; also SFT's). */
export function sequenceMean(lengths: readonly (readonly number[])[]): number[][] {
  return lengths.map(group => group.map(length => 1 / (length * group.length * lengths.length)));
}

/** Mean over groups of the mean over all tokens of a group (DAPO, arXiv 2503.14476, eq. 8; CISPO, 2506.13585, eq. 4). */
export function groupTokenMean(lengths: readonly (readonly number[])[]): number[][] {
  return lengths.map(group => group.map(() => 1 / (sum(group) * lengths.length)));
}

/** DAPO's by choice: the paper's equation, or the authors' code, which takes the mean over the mini-batch's tokens. */
export const chosenTokenMean: TokenWeighting = (lengths, { tokenMean }) =>
  tokenMean === 'group' ? groupTokenMean(lengths) : lengths.map(group => group.map(() => 1 / sum(lengths.map(sum))));

/** Mean over groups of the mean over responses of the sum over tokens: a response is one action (RLOO, arXiv 2402.14740). */
export function sequenceSum(lengths: readonly (readonly number[])[]): number[][] {
  return lengths.map(group => group.map(() => 1 / (group.length * lengths.length)));
}

/**
 * The same sum divided by the most tokens that a response may have, a constant, so that no response counts less for being
 * long (Dr. GRPO, arXiv 2503.20783, section 3.2).
 */
export const limitedSum: TokenWeighting = (lengths, { maxResponseTokens }) =>
  sequenceSum(lengths).map(group => group.map(weight => weight / maxResponseTokens!));
