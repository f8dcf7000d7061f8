/** Where the live view goes: a block drawn over and over on a terminal, a line a change anywhere else. */
import type { WriteStream } from 'node:tty';

export interface Screen {
  /** On a terminal: shows the block in place of the last one. */
  draw(block: string[]): void;
  /** Lines that stay, in place of the block. */
  print(lines: string[]): void;
  /** Lets the block as it is now stay. */
  keep(): void;
  readonly terminal: boolean;
}

type Output = Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number };

export function screenOn(output: Output): Screen {
  let drawn = 0;
  const erase = () => {
    if (drawn > 0) output.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  return {
    terminal: output.isTTY === true,
    draw(block) {
      if (!output.isTTY) return;
      erase();
      // A line that wraps would be two rows to erase.
      const width = output.columns ?? 80;
      output.write(block.map(line => `${line.slice(0, width - 1)}\n`).join(''));
      drawn = block.length;
    },
    keep() {
      drawn = 0;
    },
    print(lines) {
      erase();
      output.write(lines.map(line => `${line}\n`).join(''));
    },
  };
}
