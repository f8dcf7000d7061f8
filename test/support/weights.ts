/** How decoding gets a policy's weights: which of the two a model is given goes by its size, and tests have small ones. */
import { PROVIDERS } from '../../activities/engine/graph/index';

export const WEIGHTS = ['fed', 'constants'] as const;

/** For engines made from now on in this process, until the test ends. */
export function weightsAre(kind: (typeof WEIGHTS)[number]): void {
  const rules: { constantsFrom: number } = PROVIDERS.cpu;
  jest.replaceProperty(rules, 'constantsFrom', kind === 'fed' ? Number.POSITIVE_INFINITY : 0);
}
