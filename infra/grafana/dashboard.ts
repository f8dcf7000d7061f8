/** The dashboard as Grafana reads it, laid out from the table of panels. */
import { join } from 'node:path';
import { CHECKOUT } from '../checkout.js';
import { type Panel, ROWS } from './panels.js';

export const DASHBOARD_FILE = join(CHECKOUT, 'infra', 'grafana', 'longhaul.json');

/** Grafana's grid is 24 wide. */
const ACROSS = 3;
const SIZE = { w: 24 / ACROSS, h: 8 };

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

export function dashboard() {
  return {
    uid: 'longhaul',
    title: 'longhaul',
    description: 'Runs, workers and engines of longhaul.',
    tags: ['longhaul'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: '',
    annotations: { list: [] },
    links: [],
    templating: { list: [datasourceVariable, runVariable] },
    panels: panels(),
  };
}

const datasourceVariable = { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' };

const runVariable = {
  name: 'run',
  label: 'Run',
  type: 'query',
  datasource: DATASOURCE,
  definition: 'label_values(longhaul_last_step, run)',
  query: { query: 'label_values(longhaul_last_step, run)', refId: 'run' },
  refresh: 2,
  includeAll: true,
  multi: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
};

function panels() {
  const laid: object[] = [];
  let y = 0;
  for (const { title, panels } of ROWS) {
    laid.push({
      id: laid.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    for (const [k, panel] of panels.entries()) {
      const gridPos = { x: (k % ACROSS) * SIZE.w, y: y + Math.floor(k / ACROSS) * SIZE.h, ...SIZE };
      laid.push({ id: laid.length + 1, ...timeseries(panel), gridPos });
    }
    y += Math.ceil(panels.length / ACROSS) * SIZE.h;
  }
  return laid;
}

function timeseries({ title, help, unit, isStacked = false, lines }: Panel) {
  return {
    type: 'timeseries',
    title,
    description: help,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        custom: {
          lineWidth: 1,
          fillOpacity: isStacked ? 40 : 0,
          showPoints: 'never',
          spanNulls: true,
          stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: lines.map(({ legend, expr }, k) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + k),
      datasource: DATASOURCE,
      editorMode: 'code',
      range: true,
      expr,
      legendFormat: legend,
    })),
  };
}
