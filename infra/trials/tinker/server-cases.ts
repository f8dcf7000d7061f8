/** What the server does where a client could think otherwise: asked with the SDK's own messages, nothing of it by longhaul. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SERVER_FILES } from './environment.js';
import type { Row } from './rows.js';
import type { SkyRl } from './skyrl.js';

/** As cases.py prints them. */
interface Found {
  name: string;
  expected: string;
  seen: string;
  as_known: boolean;
}

/** The first half of the cases, a restart of the killed server on its files, and the half about what it remembers then. */
export async function serverCases(server: SkyRl, say: (line: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  const take = ({ name, expected, seen, as_known }: Found) => {
    rows.push({ what: `${name}: ${expected}`, bar: 'as the client knows it', seen, holds: as_known });
    say(`${as_known ? '' : 'CHANGED  '}${name}: ${seen}`);
  };
  await half(server, 'first', take);
  say('the server is killed and started again');
  await server.restart();
  await half(server, 'second', take);
  return rows;
}

async function half(server: SkyRl, which: 'first' | 'second', take: (found: Found) => void): Promise<void> {
  const { environment, base, folder } = server.options;
  const args = [join(SERVER_FILES, 'cases.py'), server.url, base, join(folder, 'cases.json'), which];
  const child = spawn(environment.python, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', chunk => {
    complaints = (complaints + chunk).slice(-4000);
  });
  createInterface({ input: child.stdout }).on('line', line => take(JSON.parse(line) as Found));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`cases.py ended with code ${code}: ${complaints.trim()}`);
}
