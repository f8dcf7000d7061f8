/** Watches evaluations until all have ended, through whatever happens to the server and the workers meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import type { EvaluationProgress, EvaluationSummary } from '../../activities/contract/index.js';
import { activityNotes } from './activity-notes.js';
import { asking } from './asking.js';
import { evaluationBlock, evaluationChanges } from './evaluation-text.js';
import { innermost, passing } from './follow.js';
import type { Screen } from './screen.js';

const POLL_MS = 1000;

export interface FollowEvaluationsOptions {
  client: Client;
  /** Workflow ids. */
  ids: string[];
  screen: Screen;
  /** Ends the watching; the evaluations go on. */
  signal: AbortSignal;
  /** Lines shown below the block on a terminal. */
  footer?: string[];
  /** Asked while the server does not answer: why it never will again, or null to keep trying. */
  gone?: () => string | null;
}

export type EvaluationOutcome =
  | { id: string; kind: 'done'; summary: EvaluationSummary }
  | { id: string; kind: 'ended'; status: string; reason: string };

/**
 * @returns how each ended; null when the watching was ended before
 * @throws WorkflowNotFoundError when the server does not know one of them
 */
export async function followEvaluations(options: FollowEvaluationsOptions): Promise<EvaluationOutcome[] | null> {
  const { ids, screen, signal } = options;
  const seen = new Map<string, EvaluationProgress>();
  const outcomes = new Map<string, EvaluationOutcome>();
  let told: string[] = [];
  while (!signal.aborted) {
    const notes = { doing: [] as string[], troubles: [] as string[] };
    const before = new Map(seen);
    for (const id of ids) {
      if (outcomes.has(id)) continue;
      const outcome = await look(options, id, seen, notes);
      if (outcome) outcomes.set(id, outcome);
    }
    if (screen.terminal) {
      const doing = [...notes.doing, ...notes.troubles].map(line => `    ${line}`);
      screen.draw([
        ...ids.flatMap(id => evaluationBlock(id, seen.get(id) ?? null)),
        ...doing,
        ...(options.footer ?? []),
      ]);
    } else {
      screen.print(ids.flatMap(id => evaluationChanges(before.get(id) ?? null, seen.get(id) ?? null)));
    }
    const fresh = notes.troubles.filter(line => !told.includes(line));
    if (fresh.length > 0) screen.print(fresh);
    told = notes.troubles;
    if (outcomes.size === ids.length) return ids.map(id => outcomes.get(id)!);
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return null;
}

/** One look at one evaluation; its outcome once it has ended. */
async function look(
  { client, gone }: FollowEvaluationsOptions,
  id: string,
  seen: Map<string, EvaluationProgress>,
  notes: { doing: string[]; troubles: string[] },
): Promise<EvaluationOutcome | null> {
  const handle = client.workflow.getHandle(id);
  const ask = asking(client);
  let status: string | null = null;
  try {
    status = (await ask(() => handle.describe())).status.name;
    if (status !== 'RUNNING') {
      // Of one that has ended the last look matters little: a worker that is away cannot give it.
      const last = await ask(() => handle.query<EvaluationProgress>('progress')).catch(() => null);
      if (last) seen.set(id, last);
      return await outcome(client, id, status);
    }
    seen.set(id, await ask(() => handle.query<EvaluationProgress>('progress')));
    const { doing, retries } = await ask(() => activityNotes(client, [id]));
    notes.doing.push(...doing.map(line => `${id}: ${line}`));
    notes.troubles.push(...retries.map(line => `${id}: ${line}`));
  } catch (error) {
    notes.troubles.push(passing(error, status !== null));
    const reason = gone?.() ?? null;
    if (reason) return { id, kind: 'ended', status: 'GONE', reason };
  }
  return null;
}

async function outcome(client: Client, id: string, status: string): Promise<EvaluationOutcome> {
  try {
    return { id, kind: 'done', summary: (await client.workflow.getHandle(id).result()) as EvaluationSummary };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { id, kind: 'ended', status, reason: innermost(error) };
  }
}
