/** Small pictures made of characters: a curve in a line, and how much of something is done. */

const STEPS = [...'▁▂▃▄▅▆▇█'];

/** The values from their least to their greatest; where they are more than columns, the mean of those that share one. */
export function sparkline(values: readonly number[], columns: number): string {
  const finite = values.filter(Number.isFinite);
  const shown = finite.length <= columns ? finite : shared(finite, columns);
  const [least, greatest] = [Math.min(...shown), Math.max(...shown)];
  const top = STEPS.length - 1;
  return shown
    .map(value => STEPS[greatest === least ? 0 : Math.round(((value - least) / (greatest - least)) * top)])
    .join('');
}

function shared(values: readonly number[], columns: number): number[] {
  return Array.from({ length: columns }, (_, k) => {
    const [from, to] = [k, k + 1].map(at => Math.floor((at * values.length) / columns));
    const part = values.slice(from, to);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

/** The last is an eighth short of a whole column, and so on. */
const EIGHTHS = [...' ▏▎▍▌▋▊▉'];

/** @param share from 0 to 1 */
export function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * columns * 8);
  const [whole, rest] = [Math.floor(eighths / 8), eighths % 8];
  const filled = '█'.repeat(whole) + (rest > 0 ? EIGHTHS[rest] : '');
  return filled + '░'.repeat(columns - whole - (rest > 0 ? 1 : 0));
}
