/** What every store promises, asked of each server: the cases of test/activities/store/contract.test.ts. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { openStore } from '../../../activities/store/index.js';
import { asMarkdown, asText } from '../../bench/table.js';
import { CHECKOUT } from '../../checkout.js';
import { type RunningServer, SERVERS } from './servers.js';

const CASES = join('test', 'activities', 'store', 'contract.test.ts');

/** Of one server: whether `store create` took it, and how each case ended. */
interface Verdict {
  name: string;
  fit: boolean;
  /** What `store create` said where it refused. */
  refused: string | null;
  cases: Map<string, string>;
}

/** @returns the table, and whether every server is as it should be */
export async function contractTrial(
  folder: string,
  python: string,
  port: number,
  say: (line: string) => void,
): Promise<{ text: string; holds: boolean }> {
  const verdicts: Verdict[] = [];
  for (const [k, { name, fit, start }] of SERVERS.entries()) {
    say(name);
    const place = join(folder, `server-${k}`);
    const server = await start(place, python, port + 2 * k);
    try {
      const refused = await creation(server);
      if (refused) say(`  refused: ${refused}`);
      // Of one that was refused it is told what the store would have met with.
      const cases = await contractOn(server, join(place, 'cases.json'));
      say(`  ${[...cases.values()].filter(status => status === 'passed').length} of ${cases.size} cases passed`);
      verdicts.push({ name, fit, refused, cases });
    } finally {
      await server.stop();
    }
  }
  return { text: tableOf(verdicts), holds: verdicts.every(isAsItShould) };
}

const isAsItShould = ({ fit, refused, cases }: Verdict): boolean =>
  fit ? refused === null && [...cases.values()].every(status => status === 'passed') : refused !== null;

/** Null when the store was made. */
async function creation({ url }: RunningServer): Promise<string | null> {
  const env = { AWS_ENDPOINT_URL_S3: url, AWS_ACCESS_KEY_ID: 'testkey', AWS_SECRET_ACCESS_KEY: 'testsecret' };
  Object.assign(process.env, env, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  const client = new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'trial-of-creation' }));
  client.destroy();
  return (await openStore('s3://trial-of-creation/store')).create().then(
    () => null,
    (error: Error) => error.message,
  );
}

/** How each case on a bucket ended, by its name. */
async function contractOn({ url }: RunningServer, report: string): Promise<Map<string, string>> {
  const jest = join(CHECKOUT, 'node_modules', 'jest', 'bin', 'jest.js');
  const only = ['--testNamePattern', 'a store that is a bucket', '--maxWorkers', '1'];
  const args = [jest, CASES, ...only, '--json', '--outputFile', report];
  const env = { ...process.env, LONGHAUL_TEST_S3_ENDPOINT: url };
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: CHECKOUT, env, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as {
    testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
  };
  const cases = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Map(
    cases
      .filter(({ status }) => status !== 'pending')
      .map(({ ancestorTitles, title, status }) => [`${ancestorTitles.at(-1)}: ${title}`, status]),
  );
}

function tableOf(verdicts: readonly Verdict[]): string {
  const names = [...new Set(verdicts.flatMap(({ cases }) => [...cases.keys()]))];
  const lines = [
    ['`longhaul store create`', ...verdicts.map(({ refused }) => (refused ? 'refused' : 'a store'))],
    ...names.map(name => [
      name,
      ...verdicts.map(({ cases }) => (cases.get(name) === 'passed' ? 'holds' : '**broken**')),
    ]),
  ];
  const table = { columns: ['case', ...verdicts.map(({ name }) => name)], lines };
  return process.stdout.isTTY ? asText(table) : asMarkdown(table);
}
