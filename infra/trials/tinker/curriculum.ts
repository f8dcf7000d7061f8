/** A shortened tiny curriculum, end to end: on our own engine, and on the service. */
import { join } from 'node:path';
import type { EvaluationRow } from '../../../activities/contract/index.js';
import { readLedger } from '../../chaos/ledger.js';
import { inOrder, type Row } from './rows.js';
import { adapterSpec, type Ended, type Say, undisturbed, variables, withLink } from './runs.js';
import type { SkyRl } from './skyrl.js';

export interface CurriculumOptions {
  server: SkyRl;
  /** Of databases, stores and logs. */
  folder: string;
  say: Say;
}

export async function curriculum({ server, folder, say }: CurriculumOptions): Promise<Row[]> {
  const { base } = server.options;
  const ours = await undisturbed(join(folder, 'ours'), await adapterSpec(base, null), {}, say);
  say(`our own engine: ${scoresOf(ours)}, ${ours.seconds.toFixed(0)} s`);
  const spec = await adapterSpec(base, server);
  const theirs = await withLink(server, link => undisturbed(join(folder, 'service'), spec, variables(link), say));
  say(`the service: ${scoresOf(theirs)}, ${theirs.seconds.toFixed(0)} s`);
  const books = await readLedger(theirs.store, theirs.run);
  const took = `${theirs.seconds.toFixed(0)} s (ours ${ours.seconds.toFixed(0)} s)`;
  const rows: Row[] = [
    { what: 'the run on the service', bar: 'ends; every step once in its books', ...inOrder(books, took) },
  ];
  for (const row of theirs.result.evaluations) {
    const own = ours.result.evaluations.find(({ policy, set }) => policy === row.policy && set === row.set);
    if (!own) continue;
    const holds = row.low <= own.high && own.low <= row.high;
    const bar = `${percent(own)}, our engine's, within the noise`;
    rows.push({ what: `score of ${row.policy} on ${row.set}, ${row.items} questions`, bar, seen: percent(row), holds });
  }
  return rows;
}

const percent = ({ score, low, high }: EvaluationRow): string =>
  `${score.toFixed(1)} % (${low.toFixed(1)} to ${high.toFixed(1)})`;

const scoresOf = ({ result }: Ended): string =>
  result.evaluations.map(row => `${row.policy} ${percent(row)}`).join(', ');
