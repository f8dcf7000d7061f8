/** Cuts the text of a JSON array or object into the texts of its elements; knows of JSON only strings, brackets and commas. */
import { DataError } from './records.js';

const CONTAINERS = {
  array: { open: '[', close: ']', expected: 'an array of records' },
  object: { open: '{', close: '}', expected: 'an object of records' },
};

export class Splitter {
  private depth = 0;
  private inString = false;
  private escaped = false;
  private line = 1;
  /** What is there of the element in hand; it begins with its first character that is not blank. */
  private element = '';
  private elementLine = 1;
  private state: 'before' | 'inside' | 'after' = 'before';

  constructor(
    private readonly file: string,
    private readonly container: keyof typeof CONTAINERS,
  ) {}

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
      if (!begun) {
        this.elementLine = this.line;
        begun = true;
      }
      if (c === '"') this.inString = true;
      else if ((c === ',' || c === close) && this.depth === 0) {
        const text = (this.element + chunk.slice(start, i)).trim();
        this.element = '';
        start = i + 1;
        begun = false;
        if (c === close) this.state = 'after';
        if (text !== '' || c === ',') yield { text, line: this.elementLine };
      } else if (c === '{' || c === '[') this.depth++;
      else if ((c === '}' || c === ']') && this.depth > 0) this.depth--;
    }
    if (this.state !== 'inside') return;
    // Trimmed once: each time would copy all that is there of a long element.
    const rest = chunk.slice(start);
    this.element = this.element === '' ? rest.trimStart() : this.element + rest;
  }

  end(): void {
    if (this.state === 'after') return;
    throw new DataError(
      `${this.file}: line ${this.line}: expected the end of the ${this.container}: the file is cut short`,
    );
  }
}

const isBlank = (c: string): boolean => c === ' ' || c === '\n' || c === '\r' || c === '\t';
