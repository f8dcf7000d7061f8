/** The trial's tables. */
import type { Completed } from './completed.js';
import type { Disturbed } from './disturbed.js';
import type { Undisturbed } from './undisturbed.js';

const row = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
const table = (head: string[], rows: (string | number)[][]): string[] => [
  row(head),
  `|${head.map(() => '---').join('|')}|`,
  ...rows.map(row),
];

/** Of the machines' work the activities that an engine does, and how many of them had to be tried again. */
export function sharesTable(completed: readonly Completed[]): string[] {
  const gpu = completed.filter(one => one.gpu);
  const machines = [...new Set(gpu.map(({ machine }) => machine))].sort();
  const names = [...new Set(gpu.map(({ activity }) => activity))].sort();
  return table(
    ['activity', ...machines, 'tried again'],
    names.map(name => {
      const own = gpu.filter(({ activity }) => activity === name);
      const by = machines.map(machine => own.filter(one => one.machine === machine).length);
      return [name, ...by, own.filter(({ attempts }) => attempts > 1).length];
    }),
  );
}

export function strikesTable({ struck }: Disturbed): string[] {
  return table(
    ['at', 'machine', 'in the middle of', 'what happened', 'work went on after'],
    struck.map(({ at, machine, during, what, recovered }) => [
      `${at.toFixed(0)} s`,
      machine,
      during,
      what,
      `${recovered.toFixed(1)} s`,
    ]),
  );
}

export function resultTable(calm: Undisturbed, disturbed: Disturbed): string[] {
  const line = (what: string, { result, seconds }: Undisturbed) => [
    what,
    `${seconds.toFixed(0)} s`,
    `\`${result.policy.sha256.slice(0, 16)}…\``,
    result.evaluations
      .map(({ policy, set, score }) => `${policy} ${set} ${score.toFixed(1)}`)
      .slice(-2)
      .join(', '),
  ];
  return table(
    ['run', 'took', 'final weights', 'last scores'],
    [
      line('undisturbed: one machine, a folder, nothing cut', calm),
      line('two machines, a bucket, in shards', disturbed),
    ],
  );
}
