/**
 * Evaluation spec files: as spec files are, and with `models`, a list, where several models are to answer the same
 * questions. Each model becomes an evaluation spec of its own.
 */
import { isAbsolute, join, parse, resolve } from 'node:path';
import { z } from 'zod';
import {
  defaultLabel,
  type EvaluatedModelSpec,
  type EvaluationSpec,
  evaluatedModelSchema,
  evaluationSpecSchema,
  runNameSchema,
  validateEvaluation,
} from '../../activities/spec/index.js';
import { UserError } from '../user-error.js';
import { parseSettings, readSpecFile } from './spec-files.js';

/** What such a file may say: for its reference, and for editors; its evaluations are checked one by one. */
export const evaluationFileSchema = evaluationSpecSchema
  .extend({
    model: evaluatedModelSchema.optional(),
    models: z
      .array(
        evaluatedModelSchema.safeExtend({
          label: evaluationSpecSchema.shape.label,
        }),
      )
      .min(1)
      .optional()
      .meta({
        like: 'model',
        description:
          'Several models, each as `model` with a `label` if wanted: they answer the same items. Either this or `model`.',
      }),
  })
  .meta({ oneOf: [{ required: ['model'] }, { required: ['models'] }] });

const PATH_FIELDS = new Set([
  'model.folder',
  'models.*.folder',
  'tokenizer',
  'benchmarks.*.source.path',
  'benchmarks.*.source.distractors.from.path',
  'reward.judge.promptFile',
]);

export interface LoadedEvaluation {
  /** The file's name without its ending, unless another was given. */
  name: string;
  /** Checked, with every default filled in but the model's own limits, and every path absolute. */
  evaluations: { label: string; spec: EvaluationSpec }[];
}

export interface EvaluationOverrides {
  name?: string | undefined;
  /** `path=value` texts. */
  settings: string[];
  /** As `--model` takes them; those of the file unless given. */
  models: string[];
}

/**
 * @throws UserError when the file cannot be read or names a model twice; InvalidSpecError when the spec is wrong
 */
export async function loadEvaluation(
  file: string,
  { name = parse(file).name, settings, models }: EvaluationOverrides,
  cwd: string,
): Promise<LoadedEvaluation> {
  const checkedName = runNameSchema.safeParse(name);
  if (!checkedName.success) throw new UserError(`--name ${name}: ${checkedName.error.issues[0]!.message}`);
  const overrides = parseSettings(settings, cwd, PATH_FIELDS);
  const written = await readSpecFile(resolve(cwd, file), PATH_FIELDS);
  // What is no object is for the validation to say.
  const { model, models: listed, label, ...rest } = isObject(written) ? written : ({ model: undefined } as Json);
  if (model !== undefined && listed !== undefined) {
    throw new UserError(`${file}: expected "model" or "models", found both`);
  }
  if (listed !== undefined && (!Array.isArray(listed) || listed.length === 0 || !listed.every(isObject))) {
    throw new UserError(
      `${file}: models: expected a list of models, each as "model" would be, with a "label" if wanted`,
    );
  }
  const own = (listed as Json[] | undefined) ?? [
    isObject(model) ? { ...model, ...(label !== undefined && { label }) } : model,
  ];
  const chosen = models.length > 0 ? models.map(typed => chosenModel(typed, own, cwd)) : own;
  const evaluations = chosen.map(entry => {
    const { label, ...model } = isObject(entry) ? entry : { label: undefined, ...({} as Json) };
    const spec = { ...rest, model: isObject(entry) ? model : entry, ...(label !== undefined && { label }) };
    const valid = validateEvaluation(spec, overrides);
    return { label: valid.label ?? defaultLabel(valid.model), spec: valid };
  });
  const labels = evaluations.map(({ label }) => label);
  const twice = labels.find((label, k) => labels.indexOf(label) !== k);
  if (twice !== undefined) {
    throw new UserError(`Two models are called "${twice}": give each a "label" of its own.`);
  }
  return { name: checkedName.data, evaluations };
}

/** The model that a person typed: run:NAME[@POLICY], folder:DIR or DIR, hf:owner/name, remote:LABEL of one in the file. */
function chosenModel(typed: string, own: unknown[], cwd: string): Json {
  const [, kind, rest] = /^(run|folder|remote):(.*)$/s.exec(typed) ?? [];
  if (kind === 'run') {
    const [run, policy] = rest!.split('@');
    return { run, ...(policy !== undefined && { policy }) };
  }
  if (kind === 'remote') return remoteNamed(rest!, own);
  const folder = rest ?? typed;
  return { folder: folder.startsWith('hf:') || isAbsolute(folder) ? folder : join(cwd, folder) };
}

function remoteNamed(label: string, own: unknown[]): Json {
  const remotes = own.filter((model): model is Json => isObject(model) && model.remote !== undefined);
  const names = remotes.map(labelOf);
  const found = remotes[names.indexOf(label)];
  if (found) return found;
  const there = names.length === 0 ? 'no remote model' : names.join(', ');
  throw new UserError(`--model remote:${label}: expected the label of a remote model in the file, which has ${there}`);
}

function labelOf({ label, ...model }: Json): string {
  if (typeof label === 'string') return label;
  const checked = evaluatedModelSchema.safeParse(model);
  return checked.success ? defaultLabel(checked.data satisfies EvaluatedModelSpec) : '';
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
