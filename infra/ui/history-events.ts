/** One execution of a workflow, from its events: its activities as spans of time, and what else is worth knowing. */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';

export interface Span {
  /** `RUN/phase-2/1`, or the run itself. */
  workflow: string;
  activity: string;
  /** Who did it last: process and machine. */
  worker: string;
  /** Milliseconds since 1970; `to` is null while it is under way. */
  from: number;
  to: number | null;
  /** Of a step, or of several from this one on. */
  step: number | null;
  /** 1 unless it was tried again. */
  tries: number;
  outcome: 'done' | 'failed' | 'timed out' | 'cancelled' | 'under way';
  /** Of the last try that failed. */
  failure: string | null;
}

/** Something that befell a stage, at one of its steps. */
export interface RunMark {
  stage: string;
  attempt: number;
  step: number;
  kind: 'replay' | 'retry' | 'recovery';
  text: string;
}

/** What people asked for, and what befell the workflows themselves. */
export interface TimedEvent {
  time: number;
  kind: 'asked' | 'fault' | 'end';
  text: string;
}

export interface Chapter {
  spans: Span[];
  events: TimedEvent[];
  marks: RunMark[];
  isClosed: boolean;
  /** Executions that it began, in order, and the one that goes on where it ended. */
  next: { id: string; runId: string }[];
}

interface Failure {
  message?: string | null;
  timeoutFailureInfo?: object | null;
  cause?: Failure | null;
}
type Attributes = Record<string, unknown> & { scheduledEventId?: unknown; failure?: Failure | null };
/** As the server gives it: one of the attributes is set. */
export type HistoryEvent = {
  eventId?: unknown;
  eventTime?: { seconds?: unknown; nanos?: number | null } | null;
} & Record<string, Attributes | undefined>;

const ENDS: Record<string, Span['outcome']> = {
  activityTaskCompletedEventAttributes: 'done',
  activityTaskFailedEventAttributes: 'failed',
  activityTaskTimedOutEventAttributes: 'timed out',
  activityTaskCanceledEventAttributes: 'cancelled',
};
const CLOSES: Record<string, string> = {
  workflowExecutionCompletedEventAttributes: 'ended',
  workflowExecutionFailedEventAttributes: 'failed',
  workflowExecutionTimedOutEventAttributes: 'timed out',
  workflowExecutionCanceledEventAttributes: 'was cancelled',
  workflowExecutionTerminatedEventAttributes: 'was terminated',
  workflowExecutionContinuedAsNewEventAttributes: '',
};

export function chapterOf(workflow: string, events: readonly HistoryEvent[]): Chapter {
  const chapter: Chapter = { spans: [], events: [], marks: [], isClosed: false, next: [] };
  const scheduled = new Map<string, Span>();
  for (const event of events) {
    const [kind, attributes] =
      Object.entries(event).find(([key, value]) => key.endsWith('EventAttributes') && value) ?? [];
    if (kind === undefined || !attributes) continue;
    const at = { time: timeOf(event), attributes: attributes as Attributes };
    if (kind === 'activityTaskScheduledEventAttributes') {
      scheduled.set(String(event.eventId), spanOf(workflow, at));
      chapter.spans.push(scheduled.get(String(event.eventId))!);
    } else if (kind === 'activityTaskStartedEventAttributes') {
      started(scheduled.get(String(at.attributes.scheduledEventId)), at, chapter);
    } else if (ENDS[kind]) {
      ended(scheduled.get(String(at.attributes.scheduledEventId)), at, ENDS[kind], chapter);
    } else if (CLOSES[kind] !== undefined) {
      closed(workflow, CLOSES[kind], at, chapter);
    } else other(workflow, kind, at, chapter);
  }
  return chapter;
}

interface At {
  time: number;
  attributes: Attributes;
}

function spanOf(workflow: string, { time, attributes }: At): Span {
  const type = attributes.activityType as { name?: string } | undefined;
  const input = inputOf(attributes) as { step?: unknown; from?: unknown } | null;
  const step = input?.step ?? input?.from;
  return {
    workflow,
    activity: type?.name ?? '?',
    worker: '',
    from: time,
    to: null,
    step: typeof step === 'number' ? step : null,
    tries: 1,
    outcome: 'under way',
    failure: null,
  };
}

/** The server writes it when the last try has ended; that says how many there were, and what the one before failed of. */
function started(span: Span | undefined, { time, attributes }: At, { marks }: Chapter): void {
  if (!span) return;
  span.worker = String(attributes.identity ?? '');
  span.from = time;
  span.tries = Number(attributes.attempt ?? 1);
  const last = attributes.lastFailure as Failure | null | undefined;
  if (span.tries < 2 || !last) return;
  span.failure = textOf(last);
  mark(span, last, marks);
}

function ended(span: Span | undefined, { time, attributes }: At, outcome: Span['outcome'], { marks }: Chapter): void {
  if (!span) return;
  Object.assign(span, { to: time, outcome });
  if (!attributes.failure) return;
  span.failure = textOf(attributes.failure);
  mark(span, attributes.failure, marks);
}

/** A try that ran out of time: its worker was lost, as a rule; another one took over. */
function mark(span: Span, failure: Failure, marks: RunMark[]): void {
  const [, stage, attempt] = /\/(warmup|phase-[1-9]\d*)\/([1-9]\d*)$/.exec(span.workflow) ?? [];
  if (stage === undefined) return;
  const isLost = failure.timeoutFailureInfo != null;
  const again = span.tries > 1 ? ` (try ${span.tries})` : '';
  marks.push({
    ...{ stage, attempt: Number(attempt), step: span.step ?? 1 },
    kind: isLost ? 'recovery' : 'retry',
    text: isLost
      ? `${span.activity}: its worker was lost, another took over${again}`
      : `${span.activity} failed${again}: ${span.failure}`,
  });
}

function closed(workflow: string, how: string, { time, attributes }: At, chapter: Chapter): void {
  chapter.isClosed = true;
  const next = attributes.newExecutionRunId;
  if (typeof next === 'string' && next !== '') chapter.next.push({ id: workflow, runId: next });
  else if (how !== '') {
    const why = attributes.failure ? `: ${textOf(attributes.failure)}` : '';
    chapter.events.push({ time, kind: how === 'ended' ? 'end' : 'fault', text: `${workflow} ${how}${why}` });
  }
}

function other(workflow: string, kind: string, { time, attributes }: At, { events, next }: Chapter): void {
  if (kind === 'childWorkflowExecutionStartedEventAttributes') {
    const child = attributes.workflowExecution as { workflowId?: string; runId?: string } | undefined;
    if (child?.workflowId && child.runId) next.push({ id: child.workflowId, runId: child.runId });
  } else if (kind === 'workflowExecutionUpdateAcceptedEventAttributes') {
    const request = attributes.acceptedRequest as { input?: { name?: string } } | undefined;
    events.push({ time, kind: 'asked', text: request?.input?.name ?? 'an update' });
  } else if (kind === 'workflowExecutionCancelRequestedEventAttributes') {
    events.push({ time, kind: 'asked', text: `cancel ${workflow}` });
  } else if (kind === 'workflowTaskFailedEventAttributes') {
    events.push({ time, kind: 'fault', text: `${workflow}: a workflow task failed: ${textOf(attributes.failure)}` });
  } else if (kind === 'workflowTaskTimedOutEventAttributes') {
    events.push({ time, kind: 'fault', text: `${workflow}: a workflow task timed out; another worker takes it` });
  }
}

function inputOf(attributes: Attributes): unknown {
  const [payload] = (attributes.input as { payloads?: Payload[] } | undefined)?.payloads ?? [];
  try {
    return payload ? defaultPayloadConverter.fromPayload(payload) : null;
  } catch {
    // Encrypted, or of another version.
    return null;
  }
}

function textOf(failure: Failure | null | undefined): string {
  const inner = failure?.cause?.message ? failure.cause : failure;
  return (inner?.message || 'without a message').split('\n')[0]!.slice(0, 300);
}

function timeOf({ eventTime }: HistoryEvent): number {
  return Number(eventTime?.seconds ?? 0) * 1000 + Math.floor((eventTime?.nanos ?? 0) / 1e6);
}
