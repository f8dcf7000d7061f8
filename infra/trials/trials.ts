/** The trials that there are. */
import type { Command } from 'commander';
import { addFamiliesTrial } from './families/command.js';
import { addGrafanaTrial } from './grafana/command.js';
import { addMachines } from './machines/command.js';
import { addPageTrial } from './page/page.js';
import { addPrometheusTrial } from './prometheus/command.js';
import { addS3Trial } from './s3/command.js';
import { addTinkerTrial } from './tinker/command.js';
import { addTrackersTrial } from './trackers/command.js';

export interface Trial {
  name: string;
  /** Gives the command its description, options and action. */
  add(command: Command): void;
}

export const TRIALS: readonly Trial[] = [
  { name: 'families', add: addFamiliesTrial },
  { name: 'grafana', add: addGrafanaTrial },
  { name: 'machines', add: addMachines },
  { name: 'page', add: addPageTrial },
  { name: 'prometheus', add: addPrometheusTrial },
  { name: 's3', add: addS3Trial },
  { name: 'tinker', add: addTinkerTrial },
  { name: 'trackers', add: addTrackersTrial },
];
