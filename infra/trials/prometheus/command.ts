/** `npm run trial -- prometheus`: both workers scraped by a real Prometheus, and everything asked that is ever asked. */

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { atExit } from '../../local/at-exit.js';
import { UserError } from '../../user-error.js';
import { type Asked, askAll } from './asked.js';
import { findPrometheus } from './program.js';
import { startPrometheus } from './server.js';
import { withWatchedRun } from './watched-run.js';

const METRICS_PORT = '19464';

interface Flags {
  programs?: string;
  metricsPort: string;
}

export function addPrometheusTrial(command: Command): void {
  command
    .description(
      'scrapes both workers during a short run, and asks every expression of the dashboard and the rules (some minutes)',
    )
    .option(
      '--programs <folder>',
      'where prometheus and promtool are (default: the PATH, else Debian’s package, unpacked in a temporary folder)',
    )
    .option('--metrics-port <n>', 'port of the CPU worker’s metrics; the next is the GPU worker’s', METRICS_PORT)
    .action(trial);
}

async function trial({ programs, metricsPort }: Flags): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-prometheus-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const forget = atExit(remove);
  try {
    const found = await findPrometheus(programs, folder);
    const checks = await promtoolChecks(found.promtool);
    process.stderr.write('a short run of the preset tiny, scraped once a second: some minutes\n');
    const asked = await withWatchedRun(join(folder, 'state'), Number(metricsPort), async ({ targets, done }) => {
      const prometheus = await startPrometheus(found.prometheus, folder, targets);
      try {
        await done;
        return await askAll(prometheus.url, targets, found.promtool);
      } finally {
        await prometheus.stop();
      }
    });
    report([...checks, ...asked]);
  } finally {
    forget();
    remove();
  }
}

/** What needs no run: whether the rules are well-formed, and fire when they should. */
async function promtoolChecks(promtool: string): Promise<Asked[]> {
  const { PROMETHEUS } = await import('../../prometheus/expressions.js');
  const check = async (...args: string[]): Promise<Asked> => {
    const answer = promisify(execFile)(promtool, args, { cwd: PROMETHEUS });
    const problem = await answer.then(
      () => null,
      (error: { stdout: string; stderr: string }) => `${error.stdout}${error.stderr}`.trim(),
    );
    return { what: `promtool ${args.join(' ')}`, answer: 'no complaint', problem };
  };
  return [
    await check('check', 'config', 'prometheus.yaml'),
    await check('check', 'rules', 'rules.yaml'),
    await check('test', 'rules', 'rules.test.yaml'),
  ];
}

function report(asked: readonly Asked[]): void {
  for (const { what, answer, problem } of asked) {
    process.stdout.write(`${problem === null ? 'ok  ' : 'FAIL'}  ${what}: ${problem ?? answer}\n`);
  }
  const failed = asked.filter(({ problem }) => problem !== null).length;
  process.stdout.write(`${asked.length} questions, ${failed} without a good answer\n`);
  if (failed > 0) throw new UserError('The trial failed.');
}
