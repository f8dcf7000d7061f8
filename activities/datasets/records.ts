/** A record of a data file, what can be wrong with it, and how a schema reads it. */
import type { z } from 'zod';
import { inWords } from './wording.js';

/** Data is not what its kind promises. Trying again does not help: the message names file, place and field. */
export class DataError extends Error {
  override readonly name: string = 'DataError';
}

/** One record is malformed; those after it can still be read. */
export class RecordError extends DataError {
  constructor(
    readonly where: string,
    readonly problem: string,
  ) {
    super(`${where}: ${problem}`);
  }
}

export interface RawRecord {
  /** Where it stands, for messages: "file.json: record 3 (line 17)". */
  where: string;
  /** 0-based position in the file. */
  index: number;
  value?: unknown;
  /** Why it has no value. */
  problem?: string;
}

/** `value` as the schema has it. Throws RecordError naming the place and every wrong field. */
export function checked<T extends z.ZodType>(schema: T, { where, value, problem }: RawRecord): z.output<T> {
  if (problem !== undefined) throw new RecordError(where, problem);
  const result = schema.safeParse(value, { error: inWords });
  if (result.success) return result.data;
  const problems = result.error.issues.map(issue =>
    issue.path.length === 0
      ? issue.message
      : `field ${fieldName(issue.path)}: ${issue.message}${likeness(value, issue.path)}`,
  );
  throw new RecordError(where, problems.join('; '));
}

/** What others call a field. */
const OTHER_NAMES: Record<string, string[]> = {
  question: ['query', 'prompt', 'input', 'instruction'],
  answers: ['label', 'gold', 'target', 'output'],
};

/** Names the field that is the missing one but for its case, or by another usual name. */
function likeness(value: unknown, path: PropertyKey[]): string {
  const [name] = path;
  if (path.length > 1 || typeof name !== 'string' || typeof value !== 'object' || value === null || name in value)
    return '';
  const like = Object.keys(value).find(other =>
    [name.toLowerCase(), ...(OTHER_NAMES[name] ?? [])].includes(other.trim().toLowerCase()),
  );
  return like === undefined ? '' : ` (there is ${JSON.stringify(like)}: call it ${JSON.stringify(name)})`;
}

const fieldName = (path: PropertyKey[]): string =>
  path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? String(part) : `.${String(part)}`))
    .join('');

/**
 * A list of structs as the Hub's data library stores it, columns of one length by name, as the list it stands for; a list
 * is left as it is, and so is what is neither: the schema says what is wrong with it.
 */
export function rowsOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const columns = Object.entries(value);
  const [first] = columns;
  if (!first || !columns.every(([, column]) => Array.isArray(column) && column.length === first[1].length))
    return value;
  return (first[1] as unknown[]).map((_, row) =>
    Object.fromEntries(columns.map(([name, column]) => [name, (column as unknown[])[row]])),
  );
}
