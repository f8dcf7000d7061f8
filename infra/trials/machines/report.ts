/** The trial's tables. */
import type { Table } from '../../bench/table.js';
import type { Completed } from './completed.js';
import type { Disturbed } from './disturbed.js';
import type { Undisturbed } from './undisturbed.js';

/** Of the machines' work the activities that an engine does, and how many of them had to be tried again. */
export function sharesTable(completed: readonly Completed[]): Table {
  const gpu = completed.filter(one => one.gpu);
  const machines = [...new Set(gpu.map(({ machine }) => machine))].sort();
  const names = [...new Set(gpu.map(({ activity }) => activity))].sort();
  return {
    columns: ['activity', ...machines, 'tried again'],
    lines: names.map(name => {
      const own = gpu.filter(({ activity }) => activity === name);
      const by = machines.map(machine => own.filter(one => one.machine === machine).length);
      return [name, ...[...by, own.filter(({ attempts }) => attempts > 1).length].map(String)];
    }),
  };
}

export function strikesTable({ struck }: Disturbed): Table {
  return {
    columns: ['at', 'machine', 'in the middle of', 'what happened', 'work went on after'],
    lines: struck.map(({ at, machine, during, what, recovered }) => [
      `${at.toFixed(0)} s`,
      machine,
      during,
      what,
      `${recovered.toFixed(1)} s`,
    ]),
  };
}

export function resultTable(calm: Undisturbed, disturbed: Disturbed): Table {
  const line = (what: string, { result, seconds }: Undisturbed) => [
    what,
    `${seconds.toFixed(0)} s`,
    `\`${result.policy.sha256.slice(0, 16)}…\``,
    result.evaluations
      .map(({ policy, set, score }) => `${policy} ${set} ${score.toFixed(1)}`)
      .slice(-2)
      .join(', '),
  ];
  return {
    columns: ['run', 'took', 'final weights', 'last scores'],
    lines: [
      line('undisturbed: one machine, a folder, nothing cut', calm),
      line('two machines, a bucket, in shards', disturbed),
    ],
  };
}
