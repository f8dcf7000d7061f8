/** The real servers of MLflow and trackio, each behind a link that loses answers, and killed now and then. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExportSettings } from '../../../activities/spec/index.js';
import { claimPort } from '../../local/ports.js';
import { Supervised } from '../../local/supervised.js';
import { UserError } from '../../user-error.js';
import { LossyLink } from './lossy-link.js';

export const EXPERIMENT = 'trial';
const START_LIMIT_MS = 240_000;
const GRACE_MS = 10_000;
const RESTART_MS = 1000;
const LOOK_MS = 50;
/** Below the ports that the system gives away by itself. */
const FIRST_PORT = 21_000;

interface TrackerServer {
  name: string;
  process: Supervised;
  link: LossyLink;
  /** Answers once the server takes requests. */
  health: string;
  kills: number;
}

/** Every tracker there is, with files in the folder. */
export const exportSettings = (folder: string, { mlflow, trackio }: { mlflow: string; trackio: string }) => ({
  tensorboard: join(folder, 'logs'),
  jsonl: join(folder, '{run}.jsonl'),
  mlflow: { url: mlflow, experiment: EXPERIMENT },
  trackio: { url: trackio, project: EXPERIMENT },
});

export class TrackerServers {
  private constructor(
    readonly folder: string,
    readonly servers: readonly TrackerServer[],
  ) {}

  /** @param python of the environment that has them */
  static async start(python: string, folder: string): Promise<TrackerServers> {
    const token = process.env.TRACKIO_WRITE_TOKEN!;
    const trackio = join(folder, 'trackio');
    await mkdir(trackio, { recursive: true });
    const programs = dirname(python);
    const mlflow = (port: number) => ({
      command: join(programs, 'mlflow'),
      args: [
        ...['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
        ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ],
      env: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
      health: '/health',
    });
    const show = (port: number) => ({
      command: join(programs, 'trackio'),
      args: ['show', '--host', '127.0.0.1'],
      env: {
        ...process.env,
        TRACKIO_DIR: trackio,
        TRACKIO_WRITE_TOKEN: token,
        GRADIO_SERVER_PORT: String(port),
        GRADIO_NUM_PORTS: '1',
        BROWSER: 'true', // the program of that name, which opens nothing
      },
      health: '/version',
    });
    const servers: TrackerServer[] = [];
    for (const [k, [name, of]] of Object.entries({ mlflow, trackio: show }).entries()) {
      const claim = await claimPort(undefined, FIRST_PORT + k + 2 * (process.pid % 3000));
      const { health, ...program } = of(claim.port);
      const logFile = join(folder, `${name}.log`);
      const silent = { channel: false, onEnd: () => {}, onStart: () => {}, longestPauseMs: RESTART_MS };
      const child = new Supervised({ name, ...program, logFile, ...silent });
      child.start();
      claim.release();
      servers.push({ name, process: child, link: await LossyLink.before(name, claim.port), health, kills: 0 });
    }
    const all = new TrackerServers(folder, servers);
    await all.healthy();
    return all;
  }

  /** Every tracker there is. */
  get settings(): ExportSettings {
    const [mlflow, trackio] = this.servers.map(({ link }) => link.url);
    return exportSettings(this.folder, { mlflow: mlflow!, trackio: trackio! });
  }

  /** Until the signal: loses one answer of `losesOneOf`, and kills each server whenever it has given `killsAfter` more. */
  async strike(losesOneOf: number, killsAfter: number, signal: AbortSignal): Promise<void> {
    for (const { link } of this.servers) link.losesOneOf = losesOneOf;
    await Promise.all(this.servers.map(server => killed(server, killsAfter, signal)));
    for (const { link } of this.servers) link.losesOneOf = 0;
  }

  /** Waits until both take requests. @throws UserError */
  async healthy(): Promise<void> {
    const limit = performance.now() + START_LIMIT_MS;
    for (const { name, link, health } of this.servers) {
      const answers = () =>
        fetch(`${link.url}${health}`).then(
          reply => reply.ok,
          () => false,
        );
      while (!(await answers())) {
        if (performance.now() > limit)
          throw new UserError(`${name} does not start; its log: ${join(this.folder, `${name}.log`)}`);
        await sleep(500);
      }
    }
  }

  async stop(): Promise<void> {
    for (const { link } of this.servers) link.close();
    await Promise.all(this.servers.map(({ process: child }) => child.stop(GRACE_MS)));
  }
}

/** Counted by answers and not by the clock: on a slow machine a server would be killed before it is up. */
async function killed(server: TrackerServer, after: number, signal: AbortSignal): Promise<void> {
  for (let last = server.link.passed; !signal.aborted; await sleep(LOOK_MS)) {
    const pid = server.process.identity?.pid;
    if (pid === undefined || server.link.passed < last + after) continue;
    // Its whole group: MLflow's server is a child of a child.
    process.kill(-pid, 'SIGKILL');
    server.kills++;
    last = server.link.passed;
  }
}
