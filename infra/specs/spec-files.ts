/**
 * Spec files and presets: YAML or JSON, found by name or path. Relative paths inside a spec are taken from the file's
 * own folder and are absolute afterwards, since whoever reads them later sits somewhere else.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { parseDocument, parse as parseYaml } from 'yaml';
import { type RunSpec, validateSpec } from '../../activities/spec/index.js';
import { PRESETS } from '../checkout.js';
import { UserError } from '../user-error.js';

/** The fields of a spec that name a file or folder; `*` stands for any index. */
const SOURCES = ['data.*', 'warmup.data.*', 'evaluation.sets.*.source'];
const PATH_FIELDS = new Set([
  'model',
  ...SOURCES.flatMap(source => [`${source}.path`, `${source}.distractors.from.path`]),
  'reward.judge.promptFile',
  'reward.custom.module',
  'export.tensorboard',
  'export.jsonl',
]);
const SPEC_ENDINGS = ['.yaml', '.yml', '.json'];

export interface LoadedSpec {
  /** Checked, with every default filled in and every path absolute. */
  spec: RunSpec;
  /** The run's name unless one is given: the preset's, or the file's without its ending. */
  name: string;
}

/**
 * The spec that `nameOrFile` means, with `--set` settings laid over it.
 * @param settings `path=value` texts; relative paths among the values are taken from `cwd`
 * @throws UserError when there is no such preset or file, or it cannot be read; InvalidSpecError when the spec is wrong
 */
export async function loadSpec(nameOrFile: string, settings: string[], cwd: string): Promise<LoadedSpec> {
  const overrides = parseSettings(settings, cwd);
  const written = looksLikeFile(nameOrFile)
    ? await readSpecFile(resolve(cwd, nameOrFile))
    : await readPreset(nameOrFile);
  return { spec: validateSpec(written, overrides), name: basename(nameOrFile, extname(nameOrFile)) };
}

/**
 * A preset's spec as written, with its paths absolute.
 * @throws UserError naming the presets there are
 */
export async function readPreset(name: string): Promise<unknown> {
  const presets = await listPresets();
  if (!presets.includes(name)) {
    throw new UserError(
      `There is no preset "${name}". Presets: ${presets.join(', ')}. For a spec file of your own, give its path ` +
        `(ending in ${SPEC_ENDINGS.join(', ')}).`,
    );
  }
  return readSpecFile(join(PRESETS, `${name}.yaml`));
}

export async function listPresets(): Promise<string[]> {
  const files = await readdir(PRESETS);
  return files
    .filter(file => file.endsWith('.yaml'))
    .map(file => basename(file, '.yaml'))
    .sort();
}

/**
 * What a file says, with its relative paths taken from its own folder.
 * @param pathFields the fields that name a file or folder, as in PATH_FIELDS
 */
export async function readSpecFile(file: string, pathFields: ReadonlySet<string> = PATH_FIELDS): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new UserError(`${file}: ${reason}. Expected a preset's name or a spec file in YAML or JSON.`);
  }
  return parseSpec(text, file, pathFields);
}

/** What a file's text says, as `readSpecFile` gives it. */
export function parseSpec(text: string, file: string, pathFields: ReadonlySet<string> = PATH_FIELDS): unknown {
  const document = parseDocument(text); // JSON is YAML too
  const [first] = document.errors;
  if (first) throw new UserError(`${file}: expected YAML or JSON: ${first.message}`);
  return withAbsolutePaths(document.toJS(), [], dirname(file), pathFields);
}

/**
 * `--set` texts as overrides by dotted path: `phases.0.steps=20`, `rl.optimizer.learningRate=1e-5`. Values are YAML.
 * @throws UserError for a text without "=" or a value that is no YAML
 */
export function parseSettings(
  settings: string[],
  cwd: string,
  pathFields: ReadonlySet<string> = PATH_FIELDS,
): Record<string, unknown> {
  return Object.fromEntries(
    settings.map(setting => {
      const equals = setting.indexOf('=');
      if (equals <= 0) throw new UserError(`--set ${setting}: expected path=value, e.g. --set phases.0.steps=20`);
      const path = setting.slice(0, equals).replace(/\[(\d+)\]/g, '.$1');
      return [
        path,
        withAbsolutePaths(parseValue(setting, setting.slice(equals + 1)), path.split('.'), cwd, pathFields),
      ];
    }),
  );
}

function parseValue(setting: string, text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw new UserError(`--set ${setting}: the value is no YAML: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** A copy of `value`, which stands at `place` in a spec, with its relative paths taken from `folder`. */
export function withAbsolutePaths(
  value: unknown,
  place: string[],
  folder: string,
  pathFields: ReadonlySet<string> = PATH_FIELDS,
): unknown {
  if (typeof value === 'string') {
    const field = place.map(key => (/^\d+$/.test(key) ? '*' : key)).join('.');
    return pathFields.has(field) && !value.startsWith('hf:') && !isAbsolute(value) ? join(folder, value) : value;
  }
  if (Array.isArray(value))
    return value.map((item, i) => withAbsolutePaths(item, [...place, String(i)], folder, pathFields));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withAbsolutePaths(item, [...place, key], folder, pathFields)]),
  );
}

export function looksLikeFile(nameOrFile: string): boolean {
  return SPEC_ENDINGS.includes(extname(nameOrFile)) || /[\\/]/.test(nameOrFile);
}
