/** What is asked of Prometheus once it has scraped a run: every expression there is, and the pages themselves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expressions, selectorsIn } from '../../prometheus/expressions.js';

export interface Asked {
  what: string;
  /** In a few words. */
  answer: string;
  /** Why the answer will not do; null where it does. */
  problem: string | null;
}

interface Answer {
  status: string;
  error?: string;
  data?: { result: unknown[] };
}

/** Grafana puts in its own; `$run` is every run, as the dashboard begins. */
const VARIABLES: [RegExp, string][] = [
  [/\$__rate_interval/g, '10m'],
  [/\$run/g, '.*'],
];

export async function askAll(url: string, targets: readonly string[], promtool: string): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const target of targets) asked.push(await checkedPage(target, promtool));
  for (const { of, kind, expr } of await expressions()) {
    const written = VARIABLES.reduce((text, [name, value]) => text.replace(name, value), expr);
    asked.push(await answered(url, `${kind} ${of}`, written, kind !== 'alert'));
    // An alert without data is one that is silent: so each series that it rests on is asked for.
    const rests = kind === 'alert' ? [...new Set(selectorsIn(written))] : [];
    for (const selector of rests) asked.push(await answered(url, `  of ${of}: ${selector}`, selector, true));
  }
  return asked;
}

async function answered(url: string, what: string, query: string, needsData: boolean): Promise<Asked> {
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
  const { status, error, data } = (await response.json()) as Answer;
  const series = data?.result.length ?? 0;
  const answer = `${series} series`;
  if (status !== 'success') return { what, answer, problem: error ?? status };
  return { what, answer, problem: series === 0 && needsData ? `no data for ${query}` : null };
}

/** Whether Prometheus' own checker takes the page, longhaul's metrics without any complaint. */
async function checkedPage(target: string, promtool: string): Promise<Asked> {
  const page = await (await fetch(`http://${target}/metrics`)).text();
  const child = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', chunk => {
    said += chunk;
  });
  child.stdin.end(page);
  const [code] = (await once(child, 'close')) as [number];
  const complaints = said.split('\n').filter(line => line !== '' && !line.startsWith('temporal_'));
  // 3: it has something to say on style, which of Temporal's names it has.
  const problem = (code !== 0 && code !== 3) || complaints.length > 0 ? complaints.join('; ') || `code ${code}` : null;
  const names = new Set(page.match(/^# TYPE \S+/gm)).size;
  return { what: `promtool check metrics of ${target}`, answer: `${names} metrics`, problem };
}
