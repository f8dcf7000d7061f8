/** The trial's table, on the screen and as a page of the documentation. */
import { cpus } from 'node:os';
import { asMarkdown, asText, type Table } from '../../bench/table.js';
import type { Part } from './rows.js';

const COLUMNS = ['what', 'has to be', 'seen', ''];

const tableOf = ({ rows }: Part): Table => ({
  columns: COLUMNS,
  lines: rows.map(({ what, bar, seen, holds }) => [what, bar, seen, holds ? 'holds' : 'DOES NOT HOLD']),
});

export const screenText = (parts: readonly Part[]): string =>
  parts.map(part => `${part.title}, ${part.seconds.toFixed(0)} s\n\n${asText(tableOf(part))}`).join('\n\n');

export function pageText(parts: readonly Part[], { date, server }: { date: string; server: string }): string {
  const opening = [
    '# Tinker trial: a real training server, its traps and the faults',
    '<!-- Made by the command below: change the texts in infra/trials/tinker. -->',
    '```sh\nnpm run trial -- tinker --page docs/tinker-trial.md\n```',
    `What longhaul did with ${server}, on ${date} and ${cpus().length} cores. The server's Python environment is made at the ` +
      'first time (Python 3.12; 1 GB, some four minutes), and what JAX compiles is kept. Nothing is simulated: times are of a ' +
      'machine with other work on it.',
  ];
  const sections = parts.map(
    part => `## ${part.title}\n\n${asMarkdown(tableOf(part))}\n\nIn ${part.seconds.toFixed(0)} s.`,
  );
  return `${[...opening, ...sections].join('\n\n')}\n`;
}
