/** What the peers' programs are run by: kept in the user's cache, and made there at the first use. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../checkout.js';
import { cacheFolder } from '../local/temporal-binary.js';
import { madeOnce, step } from './made-once.js';
import { nodeModules } from './node-modules.js';
import type { Peer, RuntimeName } from './peers.js';
import { pythonEnvironment } from './python.js';

/** The peers' scripts, and the lists of what they need. */
export const PEERS_FOLDER = join(CHECKOUT, 'infra', 'bench', 'peers');
/** What a benchmark makes once and keeps. */
export const CACHE = join(cacheFolder(), 'bench');

/** The command line that a peer's program stands for. */
type CommandOf = (program: readonly string[]) => string[];

type Log = (line: string) => void;

const RUNTIMES: Record<RuntimeName, (log: Log) => Promise<CommandOf>> = {
  python: async log => {
    const python = await peersPython(log);
    return ([script, ...args]) => [python, join(PEERS_FOLDER, script!), ...args];
  },
  /** A Node program and a file of weights: it is told where llama.cpp and the file are. */
  llama: async log => {
    const modules = await nodeModules({ manifest: join(PEERS_FOLDER, 'node-packages.json'), cache: CACHE, log });
    const weights = await ggufFolder(log);
    return ([script, file]) => [process.execPath, join(__dirname, 'peers', script!), modules, join(weights, file!)];
  },
};

export type Runtimes = ReadonlyMap<RuntimeName, CommandOf>;

/** The runtimes of these peers, made if need be. @throws UserError that says what is missing and what to do */
export async function readyRuntimes(peers: readonly Peer[], log: Log): Promise<Runtimes> {
  const ready = new Map<RuntimeName, CommandOf>();
  for (const name of new Set(peers.map(({ runtime }) => runtime))) ready.set(name, await RUNTIMES[name](log));
  return ready;
}

function peersPython(log: Log): Promise<string> {
  return pythonEnvironment({
    requirements: join(PEERS_FOLDER, 'requirements.txt'),
    bare: join(PEERS_FOLDER, 'bare-requirements.txt'),
    cache: CACHE,
    log,
    needs: { who: 'the peers', python: 'Python 3.10 or newer', disk: '6 GB' },
  });
}

/** SmolLM2's weights in llama.cpp's format: with 4 bits as a package has them, and with 32 and 16 bits made from those. */
function ggufFolder(log: Log): Promise<string> {
  const script = join(PEERS_FOLDER, 'smollm2_gguf.py');
  const wanted = [script, join(PEERS_FOLDER, 'bare-requirements.txt')].map(file => readFileSync(file, 'utf8')).join('');
  return madeOnce({ name: 'gguf', wanted, cache: CACHE }, async folder => {
    const python = await peersPython(log);
    log(`making SmolLM2's weights for llama.cpp in ${folder}`);
    await step(python, [script, folder], ['The weights could not be made (the message is above).']);
  });
}
