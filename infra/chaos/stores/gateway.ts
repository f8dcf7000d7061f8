/** An S3 server of one's own: the Versity gateway, which keeps objects as files of a folder. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimPort } from '../../local/ports.js';
import { Supervised } from '../../local/supervised.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { UserError } from '../../user-error.js';

const LIMIT_MS = 60_000;
const RESTART_MS = 500;
const GRACE_MS = 5000;
const KEYS = { id: 'chaoskey', secret: 'chaossecret' };
export const BUCKET = 'bucket';

/** Its program. @throws UserError where there is none */
export function gatewayBinary(): string {
  const binary = process.env.LONGHAUL_TEST_S3_SERVER || join(cacheFolder(), 'bin', 'versitygw');
  if (existsSync(binary)) return binary;
  throw new UserError(`There is no S3 server at ${binary}: test/support/build-s3-server.sh builds it (with Go).`);
}

/** How it is started, and how a client reaches it. @param address host and port */
export function gatewayCommand(address: string, objects: string, keys = KEYS) {
  return {
    args: ['--port', address, '--quiet', '--keep-alive', 'posix', objects],
    env: { PATH: process.env.PATH, ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
    client: {
      AWS_ENDPOINT_URL_S3: `http://${address}`,
      AWS_ACCESS_KEY_ID: keys.id,
      AWS_SECRET_ACCESS_KEY: keys.secret,
    },
  };
}

/** @throws UserError where an S3 server does not answer in time. @param log where it says why */
export async function untilAnswers(url: string, log: string, limitMs = LIMIT_MS): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await fetch(url).catch(() => null))) {
    if (Date.now() > limit) throw new UserError(`The S3 server does not answer at ${url}; its log: ${log}`);
    await sleep(100);
  }
}

export class Gateway {
  private constructor(
    readonly process: Supervised,
    readonly url: string,
    /** For a client of it. */
    readonly env: ReturnType<typeof gatewayCommand>['client'],
  ) {}

  /** @param folder for objects and the log; it has one bucket */
  static async start(folder: string, usualPort: number, keys = KEYS): Promise<Gateway> {
    const binary = gatewayBinary();
    await mkdir(join(folder, 'objects', BUCKET), { recursive: true });
    const claim = await claimPort(undefined, usualPort);
    const { args, env, client } = gatewayCommand(`127.0.0.1:${claim.port}`, join(folder, 'objects'), keys);
    const logFile = join(folder, 's3-server.log');
    const supervised = new Supervised({
      name: 'S3 server',
      command: binary,
      args,
      env,
      logFile,
      channel: false,
      onEnd: () => {},
      onStart: () => {},
      longestPauseMs: RESTART_MS,
    });
    supervised.start();
    const gateway = new Gateway(supervised, client.AWS_ENDPOINT_URL_S3, client);
    try {
      await untilAnswers(gateway.url, logFile);
    } finally {
      claim.release();
    }
    return gateway;
  }

  stop(): Promise<void> {
    return this.process.stop(GRACE_MS);
  }
}
