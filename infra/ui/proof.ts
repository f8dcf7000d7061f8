/** The page that says why to believe a run: where its policies come from, what verify found, who did what when. */
import type { PolicyRef } from '../../activities/contract/index.js';
import { attemptsOf, entryAt, type LogEntry, snapshotUri } from '../../activities/policies/index.js';
import { codeText } from '../../activities/provenance/index.js';
import {
  baseUri,
  claimedAttempt,
  type OpenedStore,
  readJson,
  type Store,
  stageUri,
} from '../../activities/store/index.js';
import { commandOn } from '../local/command-lines.js';
import { verifications } from '../proof/verifications.js';
import { isDamage } from './errors.js';
import type { RunHistories, RunHistory } from './history.js';
import type { Span } from './history-events.js';
import { basisOf } from './stages.js';
import type { StepRows } from './step-rows.js';

/** Spans that are sent: more cannot be told apart, and neighbours that are alike become one. */
const MOST_SPANS = 1500;

interface Parts {
  store: OpenedStore;
  rows: StepRows;
  histories: RunHistories;
}

/** Some steps of one attempt, from the policy that it began with to the one that it has come to. */
export interface LineageNode {
  stage: string;
  attempt: number;
  isCurrent: boolean;
  steps: number;
  from: string;
  to: string;
  sha256: string;
  hasSnapshot: boolean;
  code: string | null;
  settings: unknown;
}

export async function proofPage({ store, rows, histories }: Parts, run: string) {
  const { plan } = await basisOf(store, run);
  const problems: string[] = [];
  const ref = await store.find(baseUri(run));
  const base = ref && (await readJson<PolicyRef>(store, ref));
  const nodes: LineageNode[] = [];
  for (const stage of await attemptsOf(store, run)) {
    try {
      const steps = await rows.logged(stage);
      const first = steps.length > 0 ? await entryAt(store, stage, steps[0]!) : null;
      const last = steps.length > 0 ? await entryAt(store, stage, steps.at(-1)!) : null;
      if (!first || !last) continue;
      const isCurrent = (await claimedAttempt(store, stageUri(stage))) === stage.attempt;
      nodes.push(await nodeOf(store, first, last, steps.length, isCurrent));
    } catch (error) {
      if (!isDamage(error)) throw error;
      problems.push(error.message);
    }
  }
  const branch = plan?.branch
    ? { of: plan.branch.of, first: plan.branch.first, policy: plan.branch.policy.name }
    : null;
  const history = await histories.of(run);
  return {
    run,
    base: base && { name: base.name, sha256: base.sha256 },
    branch,
    nodes,
    verifications: await verifications(store, run, message => problems.push(message)),
    timeline: timelineOf(history),
    problems,
    commands: {
      lineage: commandOn(store.root, 'lineage', 'POLICY', '--run', run),
      verify: commandOn(store.root, 'verify', run),
    },
  };
}

async function nodeOf(
  store: Store,
  { stage, record: { inputs } }: LogEntry,
  { record: { result, code } }: LogEntry,
  steps: number,
  isCurrent: boolean,
): Promise<LineageNode> {
  return {
    stage: stage.stage,
    attempt: stage.attempt,
    isCurrent,
    steps,
    from: inputs.parent.name,
    to: result.name,
    sha256: result.sha256,
    hasSnapshot: await store.has(snapshotUri(result)),
    code: code ? codeText(code) : null,
    settings: inputs.settings,
  };
}

function timelineOf({ spans, events, note }: RunHistory) {
  const byActivity = new Map<string, { count: number; seconds: number; again: number }>();
  for (const { activity, from, to, tries } of spans) {
    const { count, seconds, again } = byActivity.get(activity) ?? { count: 0, seconds: 0, again: 0 };
    byActivity.set(activity, {
      count: count + 1,
      seconds: seconds + (to === null ? 0 : (to - from) / 1000),
      again: again + (tries - 1),
    });
  }
  const shown = spans.length > MOST_SPANS ? joined(spans) : spans;
  return {
    note,
    workers: [...new Set(spans.map(({ worker }) => worker).filter(Boolean))],
    spans: shown.slice(0, MOST_SPANS),
    left: Math.max(0, shown.length - MOST_SPANS),
    events,
    seconds: {
      activities: [...byActivity]
        .map(([activity, sums]) => ({ activity, ...sums }))
        .sort((a, b) => b.seconds - a.seconds),
      /** Of the time from the first to the last, that in which no activity was at work. */
      outside: outsideSeconds(spans),
    },
  };
}

/** Spans in a row of one worker at the same activity of the same workflow, without anything wrong, as one. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  const last = new Map<string, Span>();
  for (const span of spans) {
    const key = JSON.stringify([span.workflow, span.activity, span.worker]);
    const before = last.get(key);
    if (before && span.failure === null && before.failure === null && before.to !== null && span.to !== null) {
      before.to = span.to;
      continue;
    }
    const copy = { ...span };
    last.set(key, copy);
    all.push(copy);
  }
  return all;
}

function outsideSeconds(spans: readonly Span[]): number {
  let outside = 0;
  let until: number | null = null;
  for (const { from, to } of spans) {
    if (until !== null && from > until) outside += (from - until) / 1000;
    until = Math.max(until ?? 0, to ?? from);
  }
  return outside;
}
