/** What the dashboard and the rules ask for is what workers export: a name that nobody exports is an empty panel, or a silent alert. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { METRICS, type Metric } from '../../../activities/telemetry/metrics';
import { openMeters } from '../../../activities/telemetry/registry';
import { DASHBOARD_FILE, dashboard } from '../../../infra/grafana/dashboard';
import {
  type Expression,
  expressions,
  metricOf,
  nameOf,
  PROMETHEUS,
  RULES_FILE,
  selectorsIn,
} from '../../../infra/prometheus/expressions';
import { parseExposition } from '../../support/exposition';

/** Of the Temporal SDK's, as `npm run trial -- prometheus` finds them. */
const TEMPORAL = new Set([
  'temporal_activity_schedule_to_start_latency',
  'temporal_request',
  'temporal_worker_task_slots_used',
  'temporal_workflow_task_execution_latency',
]);

let all: Expression[];
let recorded: Set<string>;
let exported: Map<string, { type: string }>;
beforeAll(async () => {
  all = await expressions();
  recorded = new Set(all.filter(({ kind }) => kind === 'record').map(({ of }) => of));
  exported = parseExposition(await (await openMeters()).text());
});

test('every name is exported by us or by the Temporal SDK, or recorded by a rule before', () => {
  const unknown = all.flatMap(({ of, expr }) =>
    selectorsIn(expr)
      .map(nameOf)
      .filter(name => !recorded.has(name) && !exported.has(metricOf(name)) && !TEMPORAL.has(metricOf(name)))
      .map(name => `${of}: ${name}`),
  );
  expect(unknown).toEqual([]);
  expect(all.every(({ expr }) => selectorsIn(expr).length > 0)).toBe(true);
});

test('every metric of ours is drawn, or asked for by a rule', () => {
  const asked = new Set(all.flatMap(({ expr }) => selectorsIn(expr).map(selector => metricOf(nameOf(selector)))));
  expect(Object.keys(METRICS).filter(name => !asked.has(name))).toEqual([]);
});

test('labels that are matched or summed by are ones that the metric has', () => {
  const common = ['instance', 'job', 'le'];
  const wrong = all.flatMap(({ of, expr }) => {
    const metrics = selectorsIn(expr).flatMap(
      selector => METRICS[metricOf(nameOf(selector)) as keyof typeof METRICS] ?? [],
    );
    const known = new Set([...common, ...metrics.flatMap((metric: Metric) => Object.keys(metric.labels))]);
    // Of recorded series and of the SDK's the names are not known here.
    if (metrics.length < selectorsIn(expr).length) return [];
    const matched = [...expr.matchAll(/([a-z_]+)(?:=~|!=|=)"/g)].map(([, label]) => label!);
    const by = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(', '));
    return [...matched, ...by].filter(label => !known.has(label)).map(label => `${of}: ${label}`);
  });
  expect(wrong).toEqual([]);
});

test('a counter is never drawn as it is, nor a rate taken of a gauge', () => {
  for (const { of, expr } of all) {
    for (const selector of selectorsIn(expr)) {
      const metric: Metric | undefined = METRICS[metricOf(nameOf(selector)) as keyof typeof METRICS];
      const isRate = new RegExp(`(rate|increase)\\(${selector.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\[`).test(expr);
      if (metric) expect({ of, selector, isRate }).toEqual({ of, selector, isRate: metric.type !== 'gauge' });
    }
  }
});

test('the dashboard is the one that its table makes (npm run docs), each panel with a name of its own', async () => {
  expect(JSON.parse(await readFile(DASHBOARD_FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(dashboard())));
  const panels = dashboard().panels as { id: number; title: string; gridPos: { x: number; y: number; w: number } }[];
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size).toBe(panels.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});

test('each alert says what is wrong and what to do, and has a test of when it fires', async () => {
  const { groups } = parse(await readFile(RULES_FILE, 'utf8')) as {
    groups: { rules: { alert?: string; labels?: object; annotations?: { summary: string; description: string } }[] }[];
  };
  const alerts = groups.flatMap(({ rules }) => rules.filter(({ alert }) => alert));
  expect(alerts.length).toBeGreaterThan(5);
  const tests = parse(await readFile(join(PROMETHEUS, 'rules.test.yaml'), 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
  };
  const expected = tests.tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  for (const { alert, labels, annotations } of alerts) {
    expect(labels).toMatchObject({ severity: expect.stringMatching(/^(critical|warning)$/) });
    expect(annotations).toEqual({
      summary: expect.stringMatching(/\.$/),
      description: expect.stringMatching(/[.?)]$/),
    });
    const own = expected.filter(({ alertname }) => alertname === alert);
    expect({ alert, silent: own.some(one => !one.exp_alerts), fires: own.some(one => one.exp_alerts) }).toEqual({
      ...{ alert, silent: true, fires: true },
    });
  }
});
