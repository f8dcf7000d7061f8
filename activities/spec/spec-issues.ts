/** What is wrong with a spec, in words: each path once, what was expected there, what was found, and what may have been meant. */
import { z } from 'zod';
import { shown } from '../engine/protocol/index.js';
import { nearest, plain } from './nearest.js';

export interface SpecIssue {
  /** As in `phases[1].rl.sampling.topP`; empty for the spec itself. */
  path: string;
  problem: string;
}

export class InvalidSpecError extends Error {
  override readonly name = 'InvalidSpecError';
  constructor(
    readonly issues: SpecIssue[],
    what = 'run spec',
  ) {
    super(
      `The ${what} has ${issues.length === 1 ? 'a mistake' : `${issues.length} mistakes`}:\n` +
        issues.map(({ path, problem }) => `  ${path || '(the spec)'}: ${problem}`).join('\n'),
    );
  }
}

/**
 * A value as its schema has it, or what is wrong with it.
 * @param prefix the value's own place in the spec
 */
export function checkedBy<T extends z.ZodType>(
  schema: T,
  value: unknown,
  prefix: PropertyKey[] = [],
): { data: z.output<T>; issues: [] } | { data: undefined; issues: SpecIssue[] } {
  // Which fields a block has is said where a message is made, and only there.
  const blocks = new Map<string, z.ZodObject>();
  const parsed = schema.safeParse(value, {
    reportInput: true,
    error: ({ code, inst, path = [] }) => {
      if (code === 'unrecognized_keys' && inst instanceof z.ZodObject) blocks.set(formatPath(path), inst);
      return undefined;
    },
  });
  if (parsed.success) return { data: parsed.data, issues: [] };
  const issues = parsed.error.issues.flatMap(issue => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'unrecognized_keys') return [{ path: formatPath(path), problem: problemOf(issue) }];
    const block = blocks.get(formatPath(issue.path));
    return issue.keys.map(key => ({ path: formatPath([...path, key]), problem: unknownField(key, block) }));
  });
  return { data: undefined, issues };
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, k) => (typeof key === 'number' ? `[${key}]` : k === 0 ? String(key) : `.${String(key)}`))
    .join('');
}

type Issue = z.core.$ZodIssue;

/** Fields that may hold a key by mistake: what was written there is not repeated. */
const UNSHOWN = new Set(['url', 'keyVariable', 'extra']);

function problemOf(issue: Issue): string {
  const wanted = expectation(issue);
  if (issue.input === undefined) return `missing: ${wanted}`;
  if (issue.path.some(key => UNSHOWN.has(String(key)))) return wanted;
  // Of a choice by a field, the value is the whole block.
  const found = issue.code === 'invalid_union' && 'discriminator' in issue ? field(issue) : issue.input;
  const meant = typeof found === 'string' ? nearest(found, choices(issue)) : undefined;
  return `${wanted}, found ${kindOf(found)}${meant === undefined ? '' : `: did you mean "${meant}"?`}`;
}

const field = ({ input, path }: Issue): unknown => (input as Record<PropertyKey, unknown>)[path.at(-1)!];

const TYPES: Record<string, string> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a block of fields',
  record: 'a block of fields',
};

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') {
        return issue.minimum === 1 ? `expected ${TYPES[issue.origin]} that is not empty` : issue.message;
      }
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'invalid_value':
    case 'invalid_union': {
      const known = choices(issue);
      if (known.length === 0) return issue.message;
      return `expected ${known.length > 1 ? 'one of ' : ''}${known.map(value => JSON.stringify(value)).join(', ')}`;
    }
    default:
      return issue.message;
  }
}

/** The values there are; none where that is not a list. */
function choices(issue: Issue): unknown[] {
  if (issue.code === 'invalid_value') return issue.values;
  return issue.code === 'invalid_union' && 'options' in issue ? (issue.options as unknown[]) : [];
}

/** A value in few words. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'a block of fields' : shown(value);
}

function unknownField(key: string, block: z.ZodObject | undefined): string {
  const known = block ? Object.keys(block.shape) : [];
  const meant = nearest(key, known) ?? below(block, key);
  return meant === undefined
    ? `unknown field: expected one of ${known.join(', ')}`
    : `unknown field: did you mean "${meant}"?`;
}

/** Where within a block there is a field of that name, as in `optimizer.learningRate`. */
function below(schema: unknown, key: string): string | undefined {
  if (!(schema instanceof z.ZodObject)) return undefined;
  const own = Object.keys(schema.shape).find(name => plain(name) === plain(key));
  if (own !== undefined) return own;
  for (const [name, inner] of Object.entries(schema.shape)) {
    const found = below(bare(inner as z.ZodType), key);
    if (found !== undefined) return `${name}.${found}`;
  }
  return undefined;
}

const bare = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodDefault ||
  schema instanceof z.ZodPrefault ||
  schema instanceof z.ZodOptional ||
  schema instanceof z.ZodNullable
    ? bare(schema.unwrap() as z.ZodType)
    : schema;
