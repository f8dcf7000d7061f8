/** Watches a study until it has ended, through whatever happens to the server and the workers meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import type { Progress, StudyProgress, StudyResult } from '../../activities/contract/index.js';
import { asking } from './asking.js';
import { innermost, passing } from './follow.js';
import type { Screen } from './screen.js';
import { studyBlock, studyChanges } from './study-text.js';

const POLL_MS = 1000;

export interface FollowStudyOptions {
  client: Client;
  study: string;
  screen: Screen;
  /** Ends the watching; the study goes on. */
  signal: AbortSignal;
  /** Lines shown below the block on a terminal. */
  footer?: string[];
  /** Asked while the server does not answer: why it never will again, or null to keep trying. */
  gone?: () => string | null;
}

export type StudyOutcome = { kind: 'done'; result: StudyResult } | { kind: 'ended'; status: string; reason: string };

/** @returns how it ended; null when the watching was ended before */
export async function followStudy(options: FollowStudyOptions): Promise<StudyOutcome | null> {
  const { client, study, screen, signal, gone, footer = [] } = options;
  const handle = client.workflow.getHandle(study);
  const ask = asking(client);
  let before: StudyProgress | null = null;
  let told: string | null = null;
  while (!signal.aborted) {
    let status: string | null = null;
    let trouble: string | null = null;
    try {
      status = (await ask(() => handle.describe())).status.name;
      if (status !== 'RUNNING') return await outcome(client, study, status);
      const now = await ask(() => handle.query<StudyProgress>('progress'));
      if (screen.terminal) screen.draw([...studyBlock(now, await underWay(client, now)), ...footer]);
      else screen.print(studyChanges(before, now));
      before = now;
    } catch (error) {
      trouble = passing(error, status !== null);
      const reason = gone?.() ?? null;
      if (reason) return { kind: 'ended', status: 'GONE', reason };
    }
    if (trouble !== null && trouble !== told) screen.print([trouble]);
    told = trouble;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return null;
}

/** What the runs under way say of themselves; one that has no worker for a moment says nothing. */
async function underWay(client: Client, { cells }: StudyProgress): Promise<Map<string, Progress>> {
  const running = cells.filter(({ state }) => state === 'running');
  const asked = running.map(async ({ run }) => {
    const handle = client.workflow.getHandle(run);
    const progress = await asking(client)(() => handle.query<Progress>('progress')).catch(() => null);
    return progress ? [[run, progress] as const] : [];
  });
  return new Map((await Promise.all(asked)).flat());
}

async function outcome(client: Client, study: string, status: string): Promise<StudyOutcome> {
  try {
    return { kind: 'done', result: (await client.workflow.getHandle(study).result()) as StudyResult };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { kind: 'ended', status, reason: innermost(error) };
  }
}
