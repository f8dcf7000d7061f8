/** What every store promises, asked of each server: the cases of test/activities/store/contract.test.ts. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../../activities/store/index.js';
import type { Table } from '../../bench/table.js';
import { CHECKOUT } from '../../checkout.js';
import type { Finding } from '../findings.js';
import { makeBucket } from './make-bucket.js';
import { KEYS, type RunningServer, SERVERS } from './servers.js';

const CASES = join('test', 'activities', 'store', 'contract.test.ts');

/** Of one server: whether `store create` took it, and how each case ended. */
interface Verdict {
  name: string;
  fit: boolean;
  /** What `store create` said where it refused. */
  refused: string | null;
  /** By groups of cases, by their names. */
  cases: Map<string, Map<string, string>>;
}

/** Whether every server is as it should be. */
export async function contractTrial(
  folder: string,
  python: string,
  port: number,
  say: (line: string) => void,
): Promise<Finding> {
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
      say(`  ${countOf(cases)} cases, broken: ${brokenOf(cases).join('; ') || 'none'}`);
      verdicts.push({ name, fit, refused, cases });
    } finally {
      await server.stop();
    }
  }
  return {
    name: 's3',
    table: contractTable(verdicts),
    remarks: verdicts.flatMap(({ name, cases }) => brokenOf(cases).map(broken => `- ${name} breaks “${broken}”`)),
    holds: verdicts.every(isAsItShould),
  };
}

type Cases = Verdict['cases'];
const PASSED = 'passed';
const statusesOf = (cases: Cases) => [...cases.values()].flatMap(group => [...group.values()]);
const countOf = (cases: Cases): number => statusesOf(cases).length;
const brokenOf = (cases: Cases): string[] =>
  [...cases].flatMap(([group, each]) =>
    [...each].filter(([, status]) => status !== PASSED).map(([name]) => `${group}: ${name}`),
  );

const isAsItShould = ({ fit, refused, cases }: Verdict): boolean =>
  fit ? refused === null && countOf(cases) > 0 && brokenOf(cases).length === 0 : refused !== null;

/** Null when the store was made. */
async function creation({ url }: RunningServer): Promise<string | null> {
  await makeBucket(url, KEYS, 'trial-of-creation');
  const env = { AWS_ENDPOINT_URL_S3: url, AWS_ACCESS_KEY_ID: KEYS.id, AWS_SECRET_ACCESS_KEY: KEYS.secret };
  Object.assign(process.env, env);
  return (await openStore('s3://trial-of-creation/store')).create().then(
    () => null,
    (error: Error) => error.message,
  );
}

/** How each case on a bucket ended. */
async function contractOn({ url }: RunningServer, report: string): Promise<Cases> {
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
  const cases: Cases = new Map();
  for (const { ancestorTitles, title, status } of testResults.flatMap(one => one.assertionResults)) {
    if (status === 'pending') continue;
    const group = ancestorTitles.at(-1)!;
    cases.set(group, (cases.get(group) ?? new Map()).set(title, status));
  }
  return cases;
}

function contractTable(verdicts: readonly Verdict[]): Table {
  const groups = [...new Set(verdicts.flatMap(({ cases }) => [...cases.keys()]))];
  const sizeOf = (group: string) => Math.max(...verdicts.map(({ cases }) => cases.get(group)?.size ?? 0));
  const held = ({ cases }: Verdict, group: string) => {
    const broken = [...(cases.get(group)?.values() ?? [])].filter(status => status !== PASSED).length;
    return broken === 0 ? 'all hold' : `${broken} broken`;
  };
  const lines = [
    [
      '`longhaul store create`',
      ...verdicts.map(({ refused }) => (refused ? `refused: ${brokenPromise(refused)}` : 'a store')),
    ],
    ...groups.map(group => [`${group}: ${sizeOf(group)} cases`, ...verdicts.map(verdict => held(verdict, group))]),
  ];
  return { columns: ['', ...verdicts.map(({ name }) => name)], lines };
}

/** Of the message the promise, and what was found instead. */
const brokenPromise = (refused: string): string => /breaks the promise that (.*?\))\./.exec(refused)?.[1] ?? refused;
