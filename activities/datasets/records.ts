/** Records of JSON files, one at a time: JSON lines, or one array streamed without holding the file in memory. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { z } from 'zod';

/** A data file does not say what its kind promises. Trying again does not help: the message names file, place and field. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

export interface RawRecord {
  /** Where it stands, for messages: "file.json: record 3 (line 17)". */
  where: string;
  /** 0-based position in the file. */
  index: number;
  value: unknown;
}

/** JSON lines; blank lines are passed over. Throws DataError on a line that is no JSON. */
export async function* readJsonLines(path: string): AsyncGenerator<RawRecord> {
  let line = 0;
  let index = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
      line++;
      if (text.trim() === '') continue;
      const where = `${path}: line ${line}`;
      yield { where, index: index++, value: parse(text, where) };
    }
  } catch (error) {
    throw readable(error, path);
  }
}

/** The elements of the file's one JSON array. Throws DataError where it is no array or an element is no JSON. */
export async function* readJsonArray(path: string): AsyncGenerator<RawRecord> {
  const splitter = new ArraySplitter(path);
  let index = 0;
  try {
    for await (const chunk of createReadStream(path, 'utf8')) {
      for (const { text, line } of splitter.push(String(chunk))) {
        const where = `${path}: record ${index} (line ${line})`;
        yield { where, index: index++, value: parse(text, where) };
      }
    }
  } catch (error) {
    throw readable(error, path);
  }
  splitter.end();
}

/** JSON array or JSON lines, told apart by the first character that is not blank. */
export async function* readJsonRecords(path: string): AsyncGenerator<RawRecord> {
  yield* (await firstCharacter(path)) === '[' ? readJsonArray(path) : readJsonLines(path);
}

/** `value` as the schema has it. Throws DataError naming the place and every wrong field. */
export function checked<T extends z.ZodType>(schema: T, { where, value }: RawRecord): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(issue =>
    issue.path.length === 0 ? issue.message : `field ${fieldName(issue.path)}: ${issue.message}`,
  );
  throw new DataError(`${where}: ${problems.join('; ')}`);
}

const fieldName = (path: PropertyKey[]): string =>
  path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? String(part) : `.${String(part)}`))
    .join('');

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError(`${where}: expected JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readable(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'EISDIR') return new DataError(`${path}: expected a data file: ${String(error)}`);
  return error;
}

async function firstCharacter(path: string): Promise<string | undefined> {
  try {
    for await (const chunk of createReadStream(path, 'utf8')) {
      const found = String(chunk).trimStart()[0];
      if (found !== undefined) return found;
    }
  } catch (error) {
    throw readable(error, path);
  }
  return undefined;
}

/** Cuts a JSON array's text into its elements' texts; knows of JSON only strings, brackets and commas. */
class ArraySplitter {
  private depth = 0;
  private inString = false;
  private escaped = false;
  private line = 1;
  private element = '';
  private elementLine = 1;
  private state: 'before' | 'inside' | 'after' = 'before';

  constructor(private readonly path: string) {}

  *push(chunk: string): Generator<{ text: string; line: number }> {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i]!;
      if (c === '\n') this.line++;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (c === '\\') this.escaped = true;
        else if (c === '"') this.inString = false;
        continue;
      }
      if (isBlank(c)) continue;
      if (this.state !== 'inside') {
        if (this.state === 'before' && c === '[') {
          this.state = 'inside';
          start = i + 1;
          continue;
        }
        const expected = this.state === 'before' ? 'an array of records' : 'nothing after the array';
        throw new DataError(`${this.path}: line ${this.line}: expected ${expected}, found ${JSON.stringify(c)}`);
      }
      if (this.element === '' && chunk.slice(start, i).trim() === '') this.elementLine = this.line;
      if (c === '"') this.inString = true;
      else if (c === '{' || c === '[') this.depth++;
      else if ((c === '}' || c === ']') && this.depth > 0) this.depth--;
      else if ((c === ',' || c === ']') && this.depth === 0) {
        const text = (this.element + chunk.slice(start, i)).trim();
        this.element = '';
        start = i + 1;
        if (c === ']') this.state = 'after';
        if (text !== '' || c === ',') yield { text, line: this.elementLine };
      }
    }
    if (this.state === 'inside') this.element = (this.element + chunk.slice(start)).trimStart();
  }

  end(): void {
    if (this.state !== 'after')
      throw new DataError(`${this.path}: line ${this.line}: expected the end of the array: the file is cut short`);
  }
}

const isBlank = (c: string): boolean => c === ' ' || c === '\n' || c === '\r' || c === '\t' || c === '\uFEFF';
