/** The trials that there are. */
import type { Command } from 'commander';
import { prometheusTrial } from './prometheus/command.js';

export interface Trial {
  name: string;
  /** Gives the command its description, options and action. */
  add(command: Command): void;
}

export const TRIALS: readonly Trial[] = [{ name: 'prometheus', add: prometheusTrial }];
