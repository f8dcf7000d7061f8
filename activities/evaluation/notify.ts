/** Tells whoever wants to know what a schedule's firing came to: a POST of JSON to the address in the worker's environment. */
import { ApplicationFailure } from '@temporalio/activity';
import type { EvaluationSummary } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { ProxySettingError } from '../engine/proxies.js';
import { post } from '../remote/index.js';
import { supervised } from '../supervision/index.js';

/** The address may hold a secret, so it stands in no spec, no message and no result. */
export const WEBHOOK_VARIABLE = 'LONGHAUL_WEBHOOK_URL';

const TIMEOUT_SECONDS = 20;

export interface NotifyInput {
  schedule: string;
  summary: EvaluationSummary;
}

/** What is posted. */
export interface FiringNotice {
  schedule: string;
  /** Whether the evaluated model is worse than at the firing before, beyond the noise. */
  regression: boolean;
  /** One line for people. */
  text: string;
  evaluation: EvaluationSummary;
}

export function notify(deps: Dependencies) {
  /** @returns what became of it; null where no address is set */
  return ({ schedule, summary }: NotifyInput): Promise<string | null> =>
    supervised('telling the webhook', async ({ call }) => {
      const address = deps.environment[WEBHOOK_VARIABLE]?.trim() ?? '';
      if (address === '') return null;
      const url = webhookUrl(address);
      const notice: FiringNotice = {
        schedule,
        regression: summary.regression,
        text: textOf(schedule, summary),
        evaluation: summary,
      };
      const options = {
        headers: {},
        body: JSON.stringify(notice),
        timeoutSeconds: TIMEOUT_SECONDS,
        signal: call.signal,
        environment: deps.environment,
      };
      const { status } = await post(url, options).catch((error: unknown) => {
        call.signal.throwIfAborted();
        if (error instanceof ProxySettingError) throw ApplicationFailure.nonRetryable(error.message, 'ProxySetting');
        throw ApplicationFailure.retryable(`the webhook does not answer (${codeOf(error)})`, 'WebhookUnavailable');
      });
      if (status < 200 || status >= 300) {
        throw ApplicationFailure.retryable(`the webhook answered with HTTP ${status}`, 'WebhookUnavailable');
      }
      return 'delivered';
    });
}

function webhookUrl(address: string): URL {
  if (/^https?:/.test(address) && URL.canParse(address)) return new URL(address);
  throw ApplicationFailure.nonRetryable(
    `${WEBHOOK_VARIABLE} in this worker's environment: expected an address that begins with https:// or http://`,
    'WebhookAddress',
  );
}

/** The message of a failed connection may name the host, and no more than its kind is needed. */
function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no whole reply in time';
}

function textOf(schedule: string, { label, mean, before, regression }: EvaluationSummary): string {
  const score = `${schedule}: ${label} scores ${mean.toFixed(1)}`;
  const overall = before?.comparisons.find(({ benchmark }) => benchmark === 'mean') ?? before?.comparisons[0];
  if (!before || !overall) return `${score}, with no firing before to compare with`;
  const { difference, low, high } = overall;
  const change = `${difference >= 0 ? '+' : ''}${difference.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`;
  return `${score}, ${change} since ${before.firing}${regression ? ': a REGRESSION beyond the noise' : ''}`;
}
