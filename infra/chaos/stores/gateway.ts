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

export class Gateway {
  private constructor(
    readonly process: Supervised,
    readonly url: string,
    readonly keys: typeof KEYS,
  ) {}

  /** @param folder for objects and the log; it has one bucket */
  static async start(folder: string, usualPort: number, keys = KEYS): Promise<Gateway> {
    const binary = process.env.LONGHAUL_TEST_S3_SERVER || join(cacheFolder(), 'bin', 'versitygw');
    if (!existsSync(binary))
      throw new UserError(`There is no S3 server at ${binary}: test/support/build-s3-server.sh builds it (with Go).`);
    await mkdir(join(folder, 'objects', BUCKET), { recursive: true });
    const claim = await claimPort(undefined, usualPort);
    const supervised = new Supervised({
      name: 'S3 server',
      command: binary,
      args: ['--port', `127.0.0.1:${claim.port}`, '--quiet', 'posix', join(folder, 'objects')],
      env: { PATH: process.env.PATH, ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
      logFile: join(folder, 's3-server.log'),
      channel: false,
      onEnd: () => {},
      onStart: () => {},
      longestPauseMs: RESTART_MS,
    });
    supervised.start();
    process.once('exit', () => supervised.kill());
    const gateway = new Gateway(supervised, `http://127.0.0.1:${claim.port}`, keys);
    try {
      await gateway.#answers();
    } finally {
      claim.release();
    }
    return gateway;
  }

  /** For a client of it. */
  get env(): NodeJS.ProcessEnv {
    return { AWS_ENDPOINT_URL_S3: this.url, AWS_ACCESS_KEY_ID: this.keys.id, AWS_SECRET_ACCESS_KEY: this.keys.secret };
  }

  stop(): Promise<void> {
    return this.process.stop(GRACE_MS);
  }

  async #answers(): Promise<void> {
    const limit = Date.now() + LIMIT_MS;
    while (!(await fetch(this.url).catch(() => null))) {
      if (Date.now() > limit) throw new Error(`the S3 server does not answer at ${this.url}`);
      await sleep(100);
    }
  }
}
