/** The page on monitoring names every metric and every alert that there is. */
import { METRICS, type Metric } from '../../activities/telemetry/metrics';
import { expressions } from '../../infra/prometheus/expressions';
import { tableUnder } from '../support/pages';

const FILE = 'docs/monitoring.md';
const bare = (cell: string) => cell.replaceAll('`', '').replaceAll('\\|', '|');

test('each metric with its labels and its help', () => {
  const rows = tableUnder(FILE, 'Metrics').map(row => row.map(bare));
  const metrics = Object.entries<Metric>(METRICS).map(([name, { labels, help }]) => [
    name,
    Object.keys(labels).join(', ') || '–',
    help,
  ]);
  expect(rows).toEqual(metrics);
});

test('each alert', async () => {
  const alerts = (await expressions()).filter(({ kind }) => kind === 'alert').map(({ of }) => of);
  expect(tableUnder(FILE, 'Prometheus').map(([alert]) => alert)).toEqual(alerts);
});
