/** The trial's table, on the screen and as a page of the documentation. */
import { cpus } from 'node:os';
import { asMarkdown, asText, type Table } from '../../bench/table.js';
import { CHECKOUT } from '../../checkout.js';
import type { Part } from './rows.js';

const COLUMNS = ['what', 'has to be', 'seen', ''];

const tableOf = ({ rows }: Part): Table => ({
  columns: COLUMNS,
  lines: rows.map(({ what, bar, seen, holds }) => [what, bar, seen, holds ? 'holds' : 'DOES NOT HOLD']),
});

export const screenText = (parts: readonly Part[]): string =>
  parts.map(part => `${part.title}, ${part.seconds.toFixed(0)} s\n\n${asText(tableOf(part))}`).join('\n\n');

const IN_TESTS =
  'Tests run on such a server where its environment was made before: `test/infra/trials/tinker/real-server.long.test.ts`. ' +
  'They do not make it. To install it and to compile what JAX has not compiled yet takes most of ten minutes on two cores ' +
  'before the first case, which is too long to wait for at each change.';

export function pageText(parts: readonly Part[]): string {
  const opening = [
    '# Tinker trial: a real training server, what it does otherwise, and faults',
    '<!-- Made by the command below: change the texts in infra/trials/tinker. -->',
    '```sh\nnpm run trial -- tinker --keep DIR --page docs/tinker-trial.md    # hours on a busy machine\nnpm run trial -- tinker --only engine                             # one part\n' +
      'npm run trial -- tinker --only faults --keep DIR --minutes 15            # begins or goes on with the faults, for so long\n```',
    `What longhaul did with SkyRL 0.4.0 and its JAX backend on the processor (${cpus().length} cores, with other work on them: ` +
      'times mean little), serving the base of the preset tiny, and for whole runs what a warm-up of our own engine made of it. ' +
      'The first trial makes the server its Python environment ' +
      '(Python 3.12; 1 GB, some four minutes); what JAX compiles is kept for the next.',
    IN_TESTS,
  ];
  const sections = parts.map(
    part => `## ${part.title}\n\n${asMarkdown(tableOf(part))}\n\nOn ${part.date}, in ${part.seconds.toFixed(0)} s.`,
  );
  const text = [...opening, ...sections].join('\n\n');
  // Where it was run is nobody's affair.
  return `${text.replaceAll(`${CHECKOUT}/`, '').replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1')}\n`;
}
