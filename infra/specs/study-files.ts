/** Study files: YAML or JSON; the base may be a preset, a spec file or a spec, and paths are taken from the file's folder. */
import { dirname, parse, resolve } from 'node:path';
import type { StudySpecInput } from '../../activities/contract/index.js';
import { runNameSchema, type ValidStudy, validateStudy } from '../../activities/spec/index.js';
import { UserError } from '../user-error.js';
import { looksLikeFile, parseSettings, readPreset, readSpecFile, withAbsolutePaths } from './spec-files.js';

export interface LoadedStudy {
  /** The file's name without its ending, unless another was given. */
  name: string;
  /** For the workflow: every path absolute, and no file named. */
  input: StudySpecInput;
  valid: ValidStudy;
}

const NO_PATHS: ReadonlySet<string> = new Set();

/**
 * @param settings `path=value` texts, laid over what the file sets for all variants
 * @throws UserError where the file cannot be read; InvalidSpecError where the study is wrong
 */
export async function loadStudy(
  file: string,
  { name = parse(file).name, settings }: { name?: string | undefined; settings: string[] },
  cwd: string,
): Promise<LoadedStudy> {
  const checked = runNameSchema.safeParse(name);
  if (!checked.success) throw new UserError(`--name ${name}: ${checked.error.issues[0]!.message}`);
  const path = resolve(cwd, file);
  const written = await readSpecFile(path, NO_PATHS);
  // What is no object is for the validation to say.
  const input = isObject(written) ? await resolved(written, dirname(path), parseSettings(settings, cwd)) : written;
  const valid = await validateStudy(input, readPreset);
  return { name: checked.data, input: input as StudySpecInput, valid };
}

/** The study with paths absolute, its base a preset's name or a spec. */
async function resolved(study: Json, folder: string, overrides: Json): Promise<Json> {
  const base = await resolvedBase(study.base, folder);
  const own = isObject(study.set) ? absoluteSet(study.set, folder) : study.set;
  const set =
    Object.keys(overrides).length > 0 && (own === undefined || isObject(own)) ? { ...own, ...overrides } : own;
  const variants = Array.isArray(study.variants)
    ? study.variants.map(variant => (isObject(variant) ? resolvedVariant(variant, folder) : variant))
    : study.variants;
  const resolved = { base, set, variants };
  return { ...study, ...Object.fromEntries(Object.entries(resolved).filter(([, value]) => value !== undefined)) };
}

async function resolvedBase(base: unknown, folder: string): Promise<unknown> {
  if (typeof base === 'string' && looksLikeFile(base)) return readSpecFile(resolve(folder, base));
  return isObject(base) ? withAbsolutePaths(base, [], folder) : base;
}

const resolvedVariant = (variant: Json, folder: string): Json =>
  isObject(variant.set) ? { ...variant, set: absoluteSet(variant.set, folder) } : variant;

function absoluteSet(set: Json, folder: string): Json {
  const entries = Object.entries(set).map(([key, value]) => {
    const place = key.replace(/\[(\d+)\]/g, '.$1').split('.');
    return [key, withAbsolutePaths(value, place, folder)];
  });
  return Object.fromEntries(entries);
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
