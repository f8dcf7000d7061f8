import type { RunSpec } from '../spec/index.js';
import { phaseNumber } from '../store/index.js';

/** A phase's settings. @param stage `phase-<k>` */
export const phaseOf = ({ phases }: Pick<RunSpec, 'phases'>, stage: string): RunSpec['phases'][number] =>
  phases[phaseNumber(stage) - 1]!;
