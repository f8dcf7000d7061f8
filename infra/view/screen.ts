/** Where the live view goes: a block drawn over and over on a terminal, a line a change anywhere else. */
import type { WriteStream } from 'node:tty';
import { PLAIN, type Style, styleFor } from './style.js';
import { cut, widthOf } from './text-width.js';

export interface Screen {
  /** On a terminal: shows the block in place of the last one. */
  draw(block: string[]): void;
  /** Lines that stay, in place of the block. */
  print(lines: string[]): void;
  /** Lets the block as it is now stay. */
  keep(): void;
  readonly terminal: boolean;
  /** Columns that a line may take without being cut. */
  readonly width: number;
  readonly style: Style;
}

type Output = Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number; rows?: number };

const USUAL = { columns: 80, rows: 24 };

export function screenOn(output: Output, environment: NodeJS.ProcessEnv = process.env): Screen {
  let drawn: number[] = [];
  // One that takes no commands gets lines like a pipe.
  const terminal = output.isTTY === true && environment.TERM !== 'dumb';
  const columns = () => output.columns || USUAL.columns;
  const erase = () => {
    // Made narrower meanwhile, a terminal shows a line in several rows.
    const rows = drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns())), 0);
    if (rows > 0) output.write(`\x1b[${rows}A\x1b[0J`);
    drawn = [];
  };
  return {
    terminal,
    style: terminal ? styleFor(output, environment) : PLAIN,
    get width() {
      return columns() - 1;
    },
    draw(block) {
      if (!terminal) return;
      erase();
      // What has scrolled away, or wraps, could not be erased.
      const lines = withinRows(block, (output.rows || USUAL.rows) - 1).map(line => cut(line, columns() - 1));
      output.write(lines.map(line => `${line}\n`).join(''));
      drawn = lines.map(widthOf);
    },
    keep() {
      drawn = [];
    },
    print(lines) {
      erase();
      output.write(lines.map(line => `${line}\n`).join(''));
    },
  };
}

function withinRows(block: string[], rows: number): string[] {
  if (block.length <= rows) return block;
  const kept = Math.max(1, rows - 1);
  return [...block.slice(0, kept), `… ${block.length - kept} more lines`];
}
