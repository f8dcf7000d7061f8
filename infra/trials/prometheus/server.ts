/** A Prometheus with the project's rules, scraping faster than one would for months. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { atExit } from '../../local/at-exit.js';
import { claimPort } from '../../local/ports.js';
import { PROMETHEUS, RULES_FILE } from '../../prometheus/expressions.js';
import { UserError } from '../../user-error.js';

export interface RunningPrometheus {
  url: string;
  stop(): Promise<void>;
}

const INTERVAL = '1s';
const START_LIMIT_MS = 30_000;
const USUAL_PORT = 9090;

/** @param targets host:port of each worker */
export async function startPrometheus(program: string, folder: string, targets: string[]): Promise<RunningPrometheus> {
  const config = await fasterConfig(targets);
  const file = join(folder, 'prometheus.yaml');
  await writeFile(file, stringify(config));
  await copyFile(RULES_FILE, join(folder, 'rules.yaml'));
  const claim = await claimPort(undefined, USUAL_PORT);
  const address = `127.0.0.1:${claim.port}`;
  const log = openSync(join(folder, 'prometheus.log'), 'a');
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=${address}`,
  ];
  const child = spawn(program, args, { stdio: ['ignore', log, log] });
  // Whatever ends the trial, it leaves nothing behind.
  const forget = atExit(() => child.kill('SIGKILL'));
  const stop = async () => {
    forget();
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const limit = performance.now() + START_LIMIT_MS;
  while (!(await isReady(address))) {
    if (child.exitCode !== null || performance.now() > limit) {
      await stop();
      const said = (await readFile(join(folder, 'prometheus.log'), 'utf8')).trim().split('\n').slice(-3).join('\n');
      throw new UserError(`Prometheus did not start:\n${said}`);
    }
    await sleep(200);
  }
  claim.release();
  return { url: `http://${address}`, stop };
}

const isReady = (address: string) =>
  fetch(`http://${address}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

/** The project's own configuration, for these workers. */
async function fasterConfig(targets: string[]) {
  const config = parse(await readFile(join(PROMETHEUS, 'prometheus.yaml'), 'utf8'));
  config.global = { scrape_interval: INTERVAL, evaluation_interval: INTERVAL };
  config.scrape_configs[0].static_configs = [{ targets }];
  return config;
}
