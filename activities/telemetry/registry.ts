/** The metrics of one worker in prom-client's registry. Nothing done here fails or is waited for by what is measured. */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type LabelsOf, METRICS, type Metric, type MetricName } from './metrics.js';

export interface Meters {
  /** Counters go up, gauges are set, histograms observe. A number that is none is left out. */
  record<N extends MetricName>(name: N, labels: LabelsOf<N>, value: number): void;
  /** Asked at every scrape: what a gauge is at that moment; null: nothing can be said. */
  ask<N extends MetricName>(name: N, value: () => Promise<number | null>): void;
  /** Prometheus' text format, with the process's own metrics (`process_…`, `nodejs_…`). */
  text(): Promise<string>;
}

/** Series of older runs are dropped: a worker that lives for months has seen any number. */
export const RUNS_KEPT = 8;

/** Gauges of prom-client whose names say that they are counters: Prometheus' own checker complains of them. */
const MISNAMED = ['resources', 'handles', 'requests'].map(of => `nodejs_active_${of}_total`);

/** Each look at the event loop's lag wakes the process: at the 10 ms that prom-client takes it costs more than all else here. */
const LAG_SAMPLE_MS = 100;

type Instrument = Counter<string> | Gauge<string> | Histogram<string>;
type Labels = Record<string, string>;

export async function openMeters(): Promise<Meters> {
  // Loaded where it is asked for: workers without metrics begin without.
  const client = await import('prom-client');
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLE_MS });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return new WorkerMeters(registry, client);
}

class WorkerMeters implements Meters {
  readonly #registry: Registry;
  readonly #instruments = new Map<string, Instrument>();
  /** Series by run, the one that was heard of last at the end. */
  readonly #ofRuns = new Map<string, Map<string, { name: string; labels: Labels }>>();
  readonly #asked = new Map<string, () => Promise<number | null>>();

  constructor(registry: Registry, client: typeof import('prom-client')) {
    this.#registry = registry;
    const kinds = { counter: client.Counter, gauge: client.Gauge, histogram: client.Histogram };
    for (const [name, metric] of Object.entries<Metric>(METRICS)) {
      const { type, help, labels, buckets } = metric;
      const instrument = new kinds[type]({
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [registry],
        ...(buckets && { buckets: [...buckets] }),
      } as never) as Instrument;
      this.#instruments.set(name, instrument);
      // A rate needs the 0 that comes before the first event.
      if (type !== 'gauge') for (const one of closedLabels(labels)) begin(instrument, one);
      // Of a worker without an engine there is nothing to say.
      else if (Object.keys(labels).length === 0) instrument.remove();
    }
  }

  record<N extends MetricName>(name: N, labels: LabelsOf<N>, value: number): void {
    if (!Number.isFinite(value)) return;
    try {
      const instrument = this.#instruments.get(name)!;
      if ('run' in labels) this.#keep(name, labels as Labels & { run: string });
      if ('observe' in instrument) instrument.observe(labels as Labels, value);
      else if ('set' in instrument) instrument.set(labels as Labels, value);
      else instrument.inc(labels as Labels, value);
    } catch {
      // A number that does not fit is less than a step.
    }
  }

  ask<N extends MetricName>(name: N, value: () => Promise<number | null>): void {
    this.#asked.set(name, value);
  }

  async text(): Promise<string> {
    for (const [name, value] of this.#asked) {
      const gauge = this.#instruments.get(name) as Gauge;
      const found = await value().catch(() => null);
      if (found === null) gauge.remove();
      else gauge.set(found);
    }
    return this.#registry.metrics();
  }

  #keep(name: string, labels: Labels & { run: string }): void {
    const { run } = labels;
    const series = this.#ofRuns.get(run) ?? new Map<string, { name: string; labels: Labels }>();
    series.set(`${name} ${JSON.stringify(labels)}`, { name, labels });
    this.#ofRuns.delete(run);
    this.#ofRuns.set(run, series);
    if (this.#ofRuns.size <= RUNS_KEPT) return;
    const [[oldest, dropped]] = this.#ofRuns as unknown as [[string, Map<string, { name: string; labels: Labels }>]];
    for (const one of dropped.values()) this.#instruments.get(one.name)!.remove(one.labels);
    this.#ofRuns.delete(oldest);
  }
}

/** Every combination of labels whose values are all known; none of a metric that has others. */
function closedLabels(labels: Metric['labels']): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (made, [label, values]) =>
      values === 'newest' ? [] : made.flatMap(one => values.map(value => ({ ...one, [label]: value }))),
    [{}],
  );
}

function begin(instrument: Instrument, labels: Labels): void {
  if ('zero' in instrument) instrument.zero(labels);
  else if (!('set' in instrument)) instrument.inc(labels, 0);
}
