/** A run of the benchmark: the selected rows, one after another, each in fresh processes. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../checkout.js';
import { calibrate } from './calibration.js';
import { type Plan, takeTurns } from './measure.js';
import { type Field, participantsOf } from './participants.js';
import { OURS, type Result, type RowResult } from './result.js';
import type { Row } from './rows.js';
import { type Side, UnavailableError } from './side.js';
import { median } from './statistics.js';

export interface RunOptions extends Omit<Field, 'scratch'> {
  /** Measured turns of each side of a row. */
  repetitions: number;
  log: (line: string) => void;
}

/**
 * With nobody to take turns with, a row takes no further one after so many seconds: the whole run stays under three
 * minutes. It has had its warm-up and one measured turn by then, however slow.
 */
const SECONDS_ALONE = 8;

export async function runRows(rows: readonly Row[], options: RunOptions): Promise<Result> {
  const { threads, against, log } = options;
  const scratch = await mkdtemp(join(tmpdir(), 'longhaul-bench-'));
  const versions: Record<string, string> = { node: process.versions.node, onnxruntime: packageVersion() };
  const calibration: number[] = [];
  const results: Record<string, RowResult> = {};
  try {
    for (const row of rows) {
      log(`${row.id}: ${row.title}`);
      calibration.push(...(await calibrate(threads)));
      results[row.id] = await runRow(row, { ...options, scratch }, options, versions).catch((error: Error) => {
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
    ...(against && { against: against.commit }),
    calibration: { seconds: calibration, median: median(calibration) },
    rows: results,
  };
}

async function runRow(
  row: Row,
  field: Field,
  { repetitions, runtimes, against, log }: RunOptions,
  versions: Record<string, string>,
): Promise<RowResult> {
  const sides: { name: string; side: Side }[] = [];
  const result: RowResult = { peers: {} };
  try {
    for (const { name, start } of await participantsOf(row, field)) {
      try {
        const side = await start();
        sides.push({ name, side });
        Object.assign(versions, side.versions);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        result.peers[name] = error.message;
        log(`${row.id}: ${name} is left out: ${error.message}`);
      }
    }
    const isAlone = runtimes.size === 0 && against === null;
    const plan: Plan = {
      repetitions: Math.min(repetitions, row.turns ?? repetitions),
      warmUp: row.turns === undefined,
      seconds: isAlone && row.turns === undefined ? SECONDS_ALONE : Number.POSITIVE_INFINITY,
    };
    const measured = await takeTurns(
      sides.map(({ side }) => side),
      plan,
      (s, seconds) => log(`${row.id}: ${sides[s]!.name} ${seconds.toFixed(3)} s`),
    );
    sides.forEach(({ name }, s) => {
      if (name === OURS) result.ours = measured[s]!;
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
