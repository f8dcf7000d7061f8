/** The trackers that there are: for each field of the spec, how it is reached. */
import type { Environment } from '../remote/index.js';
import type { ExportSettings } from '../spec/index.js';
import { jsonLines } from './jsonl.js';
import { mlflow } from './mlflow.js';
import { tensorboard } from './tensorboard/tensorboard.js';
import type { Tracker } from './tracker.js';
import { trackio } from './trackio.js';

type Maker<K extends keyof ExportSettings> = (
  settings: NonNullable<ExportSettings[K]>,
  environment: Environment,
) => Tracker;

const TRACKERS: { [K in keyof Required<ExportSettings>]: Maker<K> } = {
  tensorboard: folder => tensorboard(folder),
  jsonl: file => jsonLines(file),
  mlflow,
  trackio,
};

/** Those that the settings name. */
export function trackersOf(settings: ExportSettings, environment: Environment): Tracker[] {
  const of = <K extends keyof ExportSettings>(name: K): Tracker[] => {
    const own = settings[name];
    return own === undefined ? [] : [TRACKERS[name](own, environment)];
  };
  return (Object.keys(TRACKERS) as (keyof ExportSettings)[]).flatMap(of);
}
