/** The trials that there are. */
import type { Command } from 'commander';
import { addTinkerTrial } from './tinker/command.js';

export interface Trial {
  name: string;
  /** Gives the command its description, options and action. */
  add(command: Command): void;
}

export const TRIALS: readonly Trial[] = [{ name: 'tinker', add: addTinkerTrial }];
