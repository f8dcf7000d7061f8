/** S3 servers of others, each of which keeps other promises. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Gateway, untilAnswers } from '../../chaos/stores/gateway.js';
import { claimPort } from '../../local/ports.js';
import { Supervised } from '../../local/supervised.js';

const LIMIT_MS = 60_000;
const GRACE_MS = 5000;
/** What the tests' client signs with. */
export const KEYS = { id: 'testkey', secret: 'testsecret' };

export interface RunningServer {
  url: string;
  stop(): Promise<void>;
}

export interface ServerKind {
  name: string;
  /** Whether `store create` must take it. */
  fit: boolean;
  /**
   * @param folder for its objects and its log
   * @param python of the environment with requirements.txt
   */
  start(folder: string, python: string, port: number): Promise<RunningServer>;
}

export const SERVERS: readonly ServerKind[] = [
  {
    name: 'Versity gateway 1.8.0',
    fit: true,
    start: async (folder, _python, port) => Gateway.start(folder, port, KEYS),
  },
  {
    name: 'moto 5.2.5',
    fit: true,
    start: (folder, python, port) =>
      started(folder, join(dirname(python), 'moto_server'), at => ['-H', '127.0.0.1', '-p', String(at)], port),
  },
  {
    // Takes If-None-Match and goes by it for nothing.
    name: 'rclone 1.75.2',
    fit: false,
    start: async (folder, python, port) => {
      await mkdir(join(folder, 'objects'), { recursive: true });
      const keys = ['--auth-key', `${KEYS.id},${KEYS.secret}`];
      const words = (at: number) => ['serve', 's3', join(folder, 'objects'), '--addr', `127.0.0.1:${at}`, ...keys];
      return started(folder, join(dirname(python), 'rclone'), words, port);
    },
  },
];

async function started(
  folder: string,
  command: string,
  words: (port: number) => string[],
  usualPort: number,
): Promise<RunningServer> {
  await mkdir(folder, { recursive: true });
  const claim = await claimPort(undefined, usualPort);
  const logFile = join(folder, 'server.log');
  const [args, env] = [words(claim.port), { PATH: process.env.PATH, HOME: folder }];
  const nothing = () => {};
  const server = new Supervised({
    ...{ name: 'S3 server', command, args, env, logFile, channel: false, onEnd: nothing, onStart: nothing },
  });
  server.start();
  const url = `http://127.0.0.1:${claim.port}`;
  try {
    await untilAnswers(url, logFile, LIMIT_MS);
  } finally {
    claim.release();
  }
  return { url, stop: () => server.stop(GRACE_MS) };
}
