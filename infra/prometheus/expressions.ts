/** Every expression of the dashboard and the rules, and the names that they ask for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHECKOUT } from '../checkout.js';
import { DASHBOARD_FILE } from '../grafana/dashboard.js';

export const PROMETHEUS = join(CHECKOUT, 'infra', 'prometheus');
export const RULES_FILE = join(PROMETHEUS, 'rules.yaml');

export interface Expression {
  /** "Learning / Reward", or a rule's name. */
  of: string;
  kind: 'panel' | 'record' | 'alert';
  expr: string;
}

interface DashboardFile {
  panels: { title: string; targets?: { expr: string }[] }[];
}

interface RulesFile {
  groups: { rules: { alert?: string; record?: string; expr: string }[] }[];
}

export async function expressions(): Promise<Expression[]> {
  const { panels } = JSON.parse(await readFile(DASHBOARD_FILE, 'utf8')) as DashboardFile;
  const { groups } = parse(await readFile(RULES_FILE, 'utf8')) as RulesFile;
  const drawn = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): Expression => ({ of: title, kind: 'panel', expr })),
  );
  const ruled = groups.flatMap(({ rules }) =>
    rules.map(
      ({ alert, record, expr }): Expression => ({ of: (alert ?? record)!, kind: alert ? 'alert' : 'record', expr }),
    ),
  );
  return [...drawn, ...ruled];
}

/** What an expression selects: names with their matchers. */
export function selectorsIn(expr: string): string[] {
  return expr.match(/\b(?:longhaul|temporal|process|nodejs)[_:][\w:]*(?:\{[^}]*\})?/g) ?? [];
}

export const nameOf = (selector: string): string => selector.replace(/\{.*/, '');

/** The metric that a series belongs to: histograms have three. */
export const metricOf = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '');
