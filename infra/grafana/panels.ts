/** What the dashboard shows: rows of panels, each with its expressions. `$run` stands for the runs that are chosen. */

export interface Panel {
  title: string;
  help: string;
  /** As Grafana calls it. */
  unit: 'short' | 'percentunit' | 's' | 'ms' | 'bytes' | 'ops' | 'none';
  /** Values laid upon one another. */
  isStacked?: boolean;
  lines: { legend: string; expr: string }[];
}

export interface Row {
  title: string;
  panels: Panel[];
}

const RUN = 'run=~"$run"';
/** Grafana's own: long enough for a rate at whatever interval is scraped. */
const WINDOW = '[$__rate_interval]';

/** Of the last step, whichever worker made it: see the recording rules. */
function learning(title: string, name: string, unit: Panel['unit'], help: string): Panel {
  return { title, help, unit, lines: [{ legend: '{{run}} {{stage}}', expr: `longhaul:${name}:newest{${RUN}}` }] };
}

const rate = (legend: string, by: string, name: string, matchers = ''): Panel['lines'][number] => ({
  legend,
  expr: `sum${by && ` by (${by})`} (rate(${name}${matchers && `{${matchers}}`}${WINDOW}))`,
});

const quantile = (q: number, legend: string, by: string, name: string): Panel['lines'][number] => ({
  legend,
  expr: `histogram_quantile(${q}, sum by (${by}, le) (rate(${name}_bucket${WINDOW})))`,
});

export const ROWS: readonly Row[] = [
  {
    title: 'Learning',
    panels: [
      learning('Reward', 'reward_mean', 'none', 'Mean over all responses of a step, refills included.'),
      learning('Pass rate', 'pass_ratio', 'percentunit', 'Share of responses with a right answer.'),
      {
        title: 'Groups with signal',
        help: 'Share of groups whose rewards differ: only these can teach anything.',
        unit: 'percentunit',
        lines: [{ legend: '{{run}} {{stage}}', expr: `longhaul:effective_groups:ratio30m{${RUN}}` }],
      },
      {
        title: 'Evaluations',
        help: 'Mean score of each policy on each set.',
        unit: 'percentunit',
        lines: [
          {
            legend: '{{run}} {{policy}} {{set}}',
            expr: `max by (run, policy, set) (longhaul_evaluation_score_ratio{${RUN}})`,
          },
        ],
      },
      {
        title: 'Groups carried over',
        help: 'Groups an hour whose prompt an earlier phase had found difficult.',
        unit: 'short',
        lines: [
          {
            legend: '{{run}} {{stage}}',
            expr: `sum by (run, stage) (increase(longhaul_carried_groups_total{${RUN}}[1h]))`,
          },
        ],
      },
      learning('Loss', 'loss', 'none', 'Mean over a step’s updates.'),
      learning('Entropy', 'entropy_nats', 'none', 'Mean over response tokens, in nats.'),
      learning('KL from the sampler', 'kl_nats', 'none', 'k3 estimate of KL(sampler ‖ trainer), in nats.'),
      learning('Gradient norm', 'gradient_norm', 'none', 'Before clipping, mean over a step’s updates.'),
      learning('Clip fraction', 'clip_ratio', 'percentunit', 'Share of response tokens whose term clipping changed.'),
    ],
  },
  {
    title: 'Speed',
    panels: [
      {
        title: 'Steps',
        help: 'Number of the last step of each stage.',
        unit: 'none',
        lines: [{ legend: '{{run}} {{stage}}', expr: `max by (run, stage) (longhaul_last_step{${RUN}})` }],
      },
      {
        title: 'Steps an hour',
        help: 'Trained on, and skipped because too few groups could teach anything.',
        unit: 'short',
        lines: [
          {
            legend: '{{run}} {{stage}} {{outcome}}',
            expr: `sum by (run, stage, outcome) (increase(longhaul_steps_total{${RUN}}[1h]))`,
          },
        ],
      },
      {
        title: 'Tokens a second',
        help: 'Prompts read, tokens sampled, tokens trained on.',
        unit: 'short',
        lines: [rate('{{kind}}', 'kind', 'longhaul_tokens_total')],
      },
      {
        title: 'Where the time goes',
        help: 'Seconds in each part of a step, a second; what is missing to the number of engines is outside of steps.',
        unit: 'percentunit',
        isStacked: true,
        lines: [rate('{{part}}', 'part', 'longhaul_step_part_seconds_sum')],
      },
      {
        title: 'Engine operations',
        help: 'Mean seconds an operation.',
        unit: 's',
        lines: [
          {
            legend: '{{operation}}',
            expr:
              `sum by (operation) (rate(longhaul_engine_operation_seconds_sum${WINDOW})) / ` +
              `sum by (operation) (rate(longhaul_engine_operation_seconds_count${WINDOW}))`,
          },
        ],
      },
      {
        title: 'Engines at work',
        help: 'Operations that engines have in hand.',
        unit: 'short',
        lines: [{ legend: '{{instance}}', expr: 'longhaul_engine_busy' }],
      },
      {
        title: 'Responses cut at the limit',
        help: 'Share of responses that did not come to their end.',
        unit: 'percentunit',
        lines: [
          {
            legend: 'cut',
            expr: `sum (rate(longhaul_responses_total{finish="length"}${WINDOW})) / sum (rate(longhaul_responses_total${WINDOW}))`,
          },
        ],
      },
    ],
  },
  {
    title: 'Health',
    panels: [
      {
        title: 'Runs under way',
        help: 'As the Temporal server says.',
        unit: 'short',
        lines: [{ legend: 'runs', expr: 'max(longhaul_open_runs)' }],
      },
      {
        title: 'Memory',
        help: 'Resident, of workers and of the engines’ processes.',
        unit: 'bytes',
        lines: [
          { legend: 'worker {{instance}}', expr: 'process_resident_memory_bytes{job="longhaul"}' },
          { legend: 'engine {{instance}}', expr: 'longhaul_engine_resident_memory_bytes' },
        ],
      },
      {
        title: 'Engine restarts and failures',
        help: 'In the last hour; a restart costs what was in the engine’s memory.',
        unit: 'short',
        lines: [
          { legend: 'restarts', expr: 'sum (increase(longhaul_engine_restarts_total[1h]))' },
          { legend: '{{reason}}', expr: 'sum by (reason) (increase(longhaul_engine_failures_total[1h]))' },
        ],
      },
      {
        title: 'Store latency',
        help: '95th percentile by operation.',
        unit: 's',
        lines: [quantile(0.95, '{{operation}}', 'operation', 'longhaul_store_operation_seconds')],
      },
      {
        title: 'Store failures',
        help: 'Operations that failed, a second.',
        unit: 'ops',
        lines: [rate('{{operation}}', 'operation', 'longhaul_store_failures_total')],
      },
      {
        title: 'Judge',
        help: 'Questions a second: asked, answered from the store, without a verdict.',
        unit: 'ops',
        lines: [
          rate('asked', '', 'longhaul_judge_calls_total'),
          rate('from the store', '', 'longhaul_judge_cached_total'),
          rate('failed', '', 'longhaul_judge_failures_total'),
        ],
      },
      {
        title: 'Judge tokens',
        help: 'Tokens a second, which is what a judge costs.',
        unit: 'short',
        lines: [rate('{{kind}}', 'kind', 'longhaul_judge_tokens_total')],
      },
    ],
  },
  {
    title: 'Temporal',
    panels: [
      {
        title: 'Activities, from being scheduled to being begun',
        help: '95th percentile: long where workers are missing.',
        unit: 'ms',
        lines: [quantile(0.95, '{{activity_type}}', 'activity_type', 'temporal_activity_schedule_to_start_latency')],
      },
      {
        title: 'Task slots',
        help: 'Used on each worker.',
        unit: 'short',
        lines: [{ legend: '{{instance}} {{worker_type}}', expr: 'temporal_worker_task_slots_used' }],
      },
      {
        title: 'Workflow tasks',
        help: '95th percentile of their latency.',
        unit: 'ms',
        lines: [quantile(0.95, '{{workflow_type}}', 'workflow_type', 'temporal_workflow_task_execution_latency')],
      },
      {
        title: 'Requests to the server',
        help: 'A second, by operation.',
        unit: 'ops',
        lines: [rate('{{operation}}', 'operation', 'temporal_request')],
      },
    ],
  },
];
