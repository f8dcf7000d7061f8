/** Where the time of a run went that was neither the engine's nor the judge's. */
import type { Span } from './spans.js';

/** Seconds of wall time, of all activities of one name. */
export interface ActivityAccount {
  activity: string;
  times: number;
  /** Engine or judge at work. */
  busy: number;
  /** Nothing at work, and this activity the next to begin: scheduling, workflow task, the way over the server. */
  onTheWay: number;
  /** Inside, until the engine or the judge is first asked: reading, mostly. */
  before: number;
  /** Inside, between asking and from the last asking on: publishing, mostly. */
  after: number;
}

export interface Account {
  /** Seconds from the run's start to its end. */
  wall: number;
  busy: number;
  /** By the activities' first beginning. */
  activities: ActivityAccount[];
  /** Seconds from the end of the last activity to the run's end. */
  ending: number;
}

type Place = { span: Span; column: 'busy' | 'onTheWay' | 'before' | 'after' };

/**
 * Gives every moment from `from` to `to` (milliseconds, as in the spans) to one activity: while engine or judge is busy, or
 * an activity runs, to the one that began last of those under way; else to the next one to begin.
 */
export function account(spans: readonly Span[], from: number, to: number): Account {
  const activities = spans.filter(({ kind }) => kind === 'activity').sort((a, b) => a.from - b.from);
  const busy = spans.filter(({ kind }) => kind !== 'activity').sort((a, b) => a.from - b.from);
  const accounts = new Map<string, ActivityAccount>();
  for (const { name } of activities) {
    const known = accounts.get(name) ?? { activity: name, times: 0, busy: 0, onTheWay: 0, before: 0, after: 0 };
    known.times++;
    accounts.set(name, known);
  }
  const place = placesOf(activities, busy);
  const edges = [from, to, ...spans.flatMap(span => [span.from, span.to])]
    .filter(edge => edge >= from && edge <= to)
    .sort((a, b) => a - b);
  const total = { busy: 0, ending: 0 };
  for (let e = 1; e < edges.length; e++) {
    const seconds = (edges[e]! - edges[e - 1]!) / 1000;
    if (seconds === 0) continue;
    const found = place(edges[e - 1]!, edges[e]!);
    if (!found) total.ending += seconds;
    else accounts.get(found.span.name)![found.column] += seconds;
    if (found?.column === 'busy') total.busy += seconds;
  }
  return { wall: (to - from) / 1000, ...total, activities: [...accounts.values()] };
}

/** What happened between two neighbouring edges, asked for in their order; null after the last activity. */
function placesOf(activities: readonly Span[], busy: readonly Span[]): (from: number, to: number) => Place | null {
  const asked = new Map<Span, number>();
  for (const span of busy) {
    const by = [...activities].reverse().find(activity => activity.from <= span.from && activity.to >= span.to);
    if (by) asked.set(by, Math.min(asked.get(by) ?? Number.POSITIVE_INFINITY, span.from));
  }
  let next = 0;
  let underWay: Span[] = [];
  let nextBusy = 0;
  let atWork: Span[] = [];
  return (from, to) => {
    while (next < activities.length && activities[next]!.from <= from) underWay.push(activities[next++]!);
    while (nextBusy < busy.length && busy[nextBusy]!.from <= from) atWork.push(busy[nextBusy++]!);
    underWay = underWay.filter(span => span.to >= to);
    atWork = atWork.filter(span => span.to >= to);
    const span = underWay.at(-1);
    if (!span) return next < activities.length ? { span: activities[next]!, column: 'onTheWay' } : null;
    if (atWork.length > 0) {
      const of = underWay.findLast(one => (asked.get(one) ?? Number.POSITIVE_INFINITY) <= from) ?? span;
      return { span: of, column: 'busy' };
    }
    return { span, column: (asked.get(span) ?? Number.POSITIVE_INFINITY) >= to ? 'before' : 'after' };
  };
}
