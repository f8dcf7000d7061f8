/** A row's profile as a table, and what is not in it. */
import type { Table } from '../table.js';
import type { OperatorTime, Profile } from './operators.js';

/** @param top lines at most; the others are taken together in a last one */
export function profileTable({ operators }: Profile, turns: number, top: number): Table {
  const total = sum(operators, 'seconds');
  const line = ({ operator, shapes, calls, seconds, flops }: OperatorTime): string[] => [
    shapes === null ? operator : `${operator} ${shapes}`,
    (calls / turns).toFixed(0),
    ((1e3 * seconds) / turns).toFixed(1),
    `${((100 * seconds) / total).toFixed(1)} %`,
    flops === 0 ? '' : (flops / seconds / 1e9).toFixed(0),
  ];
  const others = operators.slice(top);
  const rest: OperatorTime[] =
    others.length === 0
      ? []
      : [
          {
            operator: `${others.length} others`,
            shapes: null,
            calls: sum(others, 'calls'),
            seconds: sum(others, 'seconds'),
            flops: 0,
          },
        ];
  return {
    columns: ['operator', 'calls', 'ms', 'share', 'GFLOP/s'],
    lines: [...operators.slice(0, top), ...rest].map(line),
  };
}

export function profileRemark({ operators, seconds, wall }: Profile & { wall: number }, turns: number): string {
  const products = operators.filter(({ flops }) => flops > 0);
  const [inOperators, inProducts] = [sum(operators, 'seconds'), sum(products, 'seconds')];
  const ms = (time: number): string => `${((1e3 * time) / turns).toFixed(0)} ms`;
  return (
    `A turn took ${ms(wall)}: matrix products ${ms(inProducts)}, at ${(sum(products, 'flops') / inProducts / 1e9).toFixed(0)} GFLOP/s; ` +
    `other operators ${ms(inOperators - inProducts)}; between operators ${ms(seconds - inOperators)}; outside of onnxruntime ${ms(wall - seconds)}.`
  );
}

const sum = (lines: readonly OperatorTime[], of: 'calls' | 'seconds' | 'flops'): number =>
  lines.reduce((total, line) => total + line[of], 0);
