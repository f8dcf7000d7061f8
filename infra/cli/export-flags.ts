/** Flags that name trackers, for a worker and for what is written afterwards. */
import { type Command, Option } from 'commander';
import { type ExportSettings, exportSchema } from '../../activities/spec/index.js';
import { UserError } from '../user-error.js';
import { folder } from './options.js';

export interface ExportFlags {
  tensorboard?: string;
  jsonl?: string;
  mlflow?: string;
  mlflowExperiment?: string;
  trackio?: string;
  trackioProject?: string;
}

/** Flag, its help, and the environment variable that stands for it. */
const FLAGS: [flag: string, help: string, variable: string][] = [
  ['--tensorboard <folder>', 'write event files for TensorBoard there', 'LONGHAUL_TENSORBOARD'],
  ['--jsonl <file>', 'write JSON lines there; {run} stands for the run’s name', 'LONGHAUL_JSONL'],
  ['--mlflow <url>', 'MLflow tracking server; its password or token comes from MLFLOW_TRACKING_…', 'LONGHAUL_MLFLOW'],
  ['--mlflow-experiment <name>', 'experiment there (default: longhaul)', 'MLFLOW_EXPERIMENT_NAME'],
  ['--trackio <url>', 'trackio server; its token comes from TRACKIO_WRITE_TOKEN', 'LONGHAUL_TRACKIO'],
  ['--trackio-project <name>', 'project there (default: longhaul)', 'TRACKIO_PROJECT'],
];

/** The flags that name a tracker each. */
export const TRACKER_FLAGS = ['tensorboard', 'jsonl', 'mlflow', 'trackio'] as const;

export function withExportFlags(command: Command, group: string): Command {
  command.optionsGroup(group);
  for (const [flag, help, variable] of FLAGS) command.addOption(new Option(flag, help).env(variable));
  return command;
}

/** Undefined where no tracker is named. @throws UserError for a value that is none */
export function exportSettingsOf(flags: ExportFlags): ExportSettings | undefined {
  const { tensorboard, jsonl, mlflow, mlflowExperiment: experiment, trackio, trackioProject: project } = flags;
  const named = { tensorboard, jsonl, mlflow, trackio };
  if (Object.values(named).every(one => one === undefined)) return undefined;
  const { data, error } = exportSchema.safeParse({
    ...(tensorboard !== undefined && { tensorboard: folder(tensorboard) }),
    ...(jsonl !== undefined && { jsonl: folder(jsonl) }),
    ...(mlflow !== undefined && { mlflow: { url: mlflow, ...(experiment !== undefined && { experiment }) } }),
    ...(trackio !== undefined && { trackio: { url: trackio, ...(project !== undefined && { project }) } }),
  });
  if (data) return data;
  const [issue] = error.issues;
  const [field, part] = issue!.path.map(String);
  const flag = part === undefined || part === 'url' ? field : `${field}-${part}`;
  throw new UserError(`--${flag}: ${issue!.message}`);
}
