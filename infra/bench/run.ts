/** A run of the benchmark: the selected rows, one after another, each in fresh processes. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../checkout.js';
import { calibrate } from './calibration.js';
import { type Plan, takeTurns } from './measure.js';
import { modelOf } from './models.js';
import { startOurs } from './ours.js';
import { startPeer } from './peer.js';
import type { Result, RowResult } from './result.js';
import { PEERS, type Row } from './rows.js';
import { type Side, UnavailableError } from './side.js';
import { median } from './statistics.js';
import { assign } from './work.js';

export interface RunOptions {
  threads: number;
  /** Measured turns of each side of a row. */
  repetitions: number;
  /** The peers' interpreter; null leaves the peers out. */
  python: string | null;
  /** SmolLM2-135M as a Hugging Face folder. */
  smollm2?: string | undefined;
  log: (line: string) => void;
}

/**
 * Without peers a row takes no further turn after so many seconds: the whole run stays under three minutes. It has had
 * its warm-up and one measured turn by then, however slow.
 */
const SECONDS_ALONE = 8;

export async function runRows(rows: readonly Row[], options: RunOptions): Promise<Result> {
  const { threads, log } = options;
  const scratch = await mkdtemp(join(tmpdir(), 'longhaul-bench-'));
  const versions: Record<string, string> = { node: process.versions.node, onnxruntime: packageVersion() };
  const calibration: number[] = [];
  const results: Record<string, RowResult> = {};
  try {
    for (const row of rows) {
      log(`${row.id}: ${row.title}`);
      calibration.push(...(await calibrate(threads)));
      results[row.id] = await runRow(row, scratch, options, versions).catch((error: Error) => {
        log(`${row.id} failed: ${error.message}`);
        return { peers: {}, failure: error.message };
      });
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return {
    format: 'longhaul-bench-engine-1',
    version: (JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string }).version,
    date: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      platform: `${process.platform} ${process.arch}`,
    },
    threads,
    versions,
    calibration: { seconds: calibration, median: median(calibration) },
    rows: results,
  };
}

async function runRow(
  row: Row,
  scratch: string,
  { threads, repetitions, python, smollm2, log }: RunOptions,
  versions: Record<string, string>,
): Promise<RowResult> {
  const { directory, vocabularySize } = await modelOf(row.work.model, scratch, smollm2);
  const assignment = assign(row.work, directory, vocabularySize, threads);
  const sides: { name: string; side: Side }[] = [];
  const result: RowResult = { peers: {} };
  try {
    sides.push({ name: 'ours', side: await startOurs(assignment, row.activations ? { memory: row.activations } : {}) });
    for (const { peer } of row.peers) {
      if (python === null) break;
      try {
        const side = await startPeer(python, PEERS[peer], assignment);
        sides.push({ name: peer, side });
        Object.assign(versions, side.versions);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        result.peers[peer] = error.message;
        log(`${row.id}: ${PEERS[peer].title} is left out: ${error.message}`);
      }
    }
    const plan: Plan =
      row.needs === 'long'
        ? { repetitions: 1, warmUp: false, seconds: Number.POSITIVE_INFINITY }
        : { repetitions, warmUp: true, seconds: python === null ? SECONDS_ALONE : Number.POSITIVE_INFINITY };
    const measured = await takeTurns(
      sides.map(({ side }) => side),
      plan,
      (s, seconds) => log(`${row.id}: ${sides[s]!.name} ${seconds.toFixed(3)} s`),
    );
    sides.forEach(({ name }, s) => {
      if (name === 'ours') result.ours = measured[s]!;
      else result.peers[name] = measured[s]!;
    });
    return result;
  } finally {
    await Promise.all(sides.map(({ side }) => side.close()));
  }
}

function packageVersion(): string {
  const path = createRequire(__filename).resolve('onnxruntime-node/package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
