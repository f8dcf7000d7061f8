/**
 * Cuts the text of a JSON array or object into the texts of its elements, or values that follow one another into each; knows of
 * JSON only strings, brackets and commas.
 */
import { DataError } from './records.js';

const CONTAINERS = {
  array: { open: '[', close: ']', expected: 'an array of records' },
  object: { open: '{', close: '}', expected: 'an object of records' },
  /** Nothing is around them. */
  values: { open: '', close: '', expected: 'records' },
};

export class Splitter {
  private depth = 0;
  private inString = false;
  private escaped = false;
  private line = 1;
  /** What is there of the element in hand; it begins with its first character that is not blank. */
  private element = '';
  private elementLine = 1;
  /** Whether the element in hand has come to the end of its brackets. */
  private closed = false;
  private state: 'before' | 'inside' | 'after';

  constructor(
    private readonly file: string,
    private readonly container: keyof typeof CONTAINERS,
  ) {
    this.state = container === 'values' ? 'inside' : 'before';
  }

  /** The element that has begun and not ended. */
  get unfinished(): string {
    return this.element;
  }

  /** The elements that end in this piece of the text, with the lines they begin in. */
  *push(chunk: string): Generator<{ text: string; line: number }> {
    const { open, close, expected } = CONTAINERS[this.container];
    let start = 0;
    let begun = this.element !== '';
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
        if (this.state === 'before' && c === open) {
          this.state = 'inside';
          start = i + 1;
          continue;
        }
        const wanted = this.state === 'before' ? expected : `nothing after the ${this.container}`;
        throw new DataError(`${this.file}: line ${this.line}: expected ${wanted}, found ${JSON.stringify(c)}`);
      }
      const separates = this.depth === 0 && (c === ',' || c === close);
      // Where a comma is missing between two records, the second begins all the same.
      if (separates || (this.closed && (c === '{' || this.container === 'values'))) {
        const text = (this.element + chunk.slice(start, i)).trim();
        this.element = '';
        start = separates ? i + 1 : i;
        begun = false;
        this.closed = false;
        if (c === close) this.state = 'after';
        if (text !== '' || (c === ',' && this.container !== 'values')) yield { text, line: this.elementLine };
        if (separates) continue;
      }
      if (!begun) {
        this.elementLine = this.line;
        begun = true;
      }
      if (c === '"') this.inString = true;
      else if (c === '{' || c === '[') this.depth++;
      else if ((c === '}' || c === ']') && this.depth > 0) {
        this.depth--;
        this.closed = this.depth === 0;
      }
    }
    if (this.state !== 'inside') return;
    // Trimmed once: each time would copy all that is there of a long element.
    const rest = chunk.slice(start);
    this.element = this.element === '' ? rest.trimStart() : this.element + rest;
  }

  /** The last of values, which nothing separates. Throws DataError where the end has not come. */
  *end(): Generator<{ text: string; line: number }> {
    if (this.state === 'after') return;
    const text = this.element.trim();
    if (this.container === 'values' && (this.closed || text === '')) {
      if (text !== '') yield { text, line: this.elementLine };
      return;
    }
    throw new DataError(
      `${this.file}: line ${this.line}: expected the end of the ${this.container === 'values' ? 'record' : this.container}: the file is cut short`,
    );
  }
}

const isBlank = (c: string): boolean => c === ' ' || c === '\n' || c === '\r' || c === '\t';
