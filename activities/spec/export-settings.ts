/** Where a run's metrics go beside the store: the trackers that people have already. */
import { z } from 'zod';
import { serverAddress } from '../remote/index.js';

const serverSchema = serverAddress(
  'http://127.0.0.1:5000',
  'a password or token: those come from the environment of the cpu worker',
);

const mlflowSchema = z.strictObject({
  url: serverSchema.describe('Address of the tracking server, as `http://127.0.0.1:5000`; without a password.'),
  experiment: z
    .string()
    .regex(/^[^'"`\\]{1,200}$/, 'expected a name without quotes and backslashes, 200 characters at most')
    .default('longhaul')
    .describe('Experiment that the run is put into.'),
});

const trackioSchema = z.strictObject({
  url: serverSchema.describe('Address of the trackio server, as `http://127.0.0.1:7860`; without a token.'),
  project: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/, 'expected letters, digits, "_" or "-", 100 at most')
    .default('longhaul')
    .describe('Project that the run is put into.'),
});

const FOLDER =
  'Folder that TensorBoard is given, on the machine of the cpu worker: the run gets one of its name in it.';
const FILE =
  'File with one line of JSON a point, on the machine of the cpu worker. `{run}` in its name stands for the run’s name.';

export const exportSchema = z
  .strictObject({
    tensorboard: z.string().min(1).optional().meta({ unlessGiven: 'none', description: FOLDER }),
    jsonl: z.string().min(1).optional().meta({ unlessGiven: 'none', description: FILE }),
    mlflow: mlflowSchema.optional().meta({ unlessGiven: 'none', description: 'An MLflow tracking server.' }),
    trackio: trackioSchema.optional().meta({ unlessGiven: 'none', description: 'A trackio server.' }),
  })
  .refine(trackers => Object.values(trackers).some(one => one !== undefined), {
    error: 'expected at least one of tensorboard, jsonl, mlflow, trackio',
  });

/** As a spec or a worker's flags have them. */
export type ExportSettings = z.output<typeof exportSchema>;
