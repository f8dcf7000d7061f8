/**
 * How each kind of failure is met: how often an activity is tried again, and what the server is told. Nothing is tried
 * without end but what somebody can mend while the work waits: a disk, a store, a key.
 */
import { ApplicationFailure, type Info } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import { UnreadableSnapshotError } from '../artifacts/index.js';
import { DataError } from '../datasets/index.js';
import { storageTrouble } from '../engine/files/index.js';
import { EngineLostError, EngineRequestError } from '../engine/protocol/index.js';
import { OutOfToleranceError } from '../provenance/index.js';
import { EndpointRefusedError, MissingKeyError } from '../remote/index.js';
import { CustomRewardError } from '../rewards/index.js';
import { InvalidSpecError } from '../spec/index.js';
import {
  CorruptArtifactError,
  DivergenceError,
  StaleAttemptError,
  StoreFormatError,
  StoreMissingError,
  StoreNameError,
} from '../store/index.js';
import { FailureCounts } from './failure-counts.js';

/** What one failure comes to. */
interface Verdict {
  /** By which people and workflows tell it from others. */
  type: string;
  /** How often an activity may fail so on a worker; then, or where another try cannot mend it, it fails for good. */
  tries: number;
  message?: string;
  details?: unknown[];
  /** Evenly: what was lacking is there when somebody makes it so, not the later the longer it lacked. */
  nextRetryDelay?: '2 seconds';
}

const ONCE = 1;
const UNTIL_MENDED = Number.POSITIVE_INFINITY;
/** An engine, a snapshot or a policy that is gone is there again at the next try, as a rule. */
const PASSING = 10;
/** A fault of the program's own: seldom does the second try fare better, and the third shows that it will not. */
const PROGRAM = 3;
/** Whatever else may pass, such as a Hub that is away: about an hour at the workflows' intervals. */
const UNKNOWN = 120;

const ENGINE_REQUESTS: Record<EngineRequestError['code'], Omit<Verdict, 'message'>> = {
  'bad-model': { type: 'BadModel', tries: ONCE },
  'bad-request': { type: 'BadRequest', tries: ONCE },
  // An engine that forgot its policy, as after a restart between two calls, loads it again.
  'not-loaded': { type: 'NotLoaded', tries: PASSING },
  'not-finite': { type: 'NotFinite', tries: ONCE },
  unsupported: { type: 'Unsupported', tries: ONCE },
  'out-of-memory': { type: 'OutOfMemory', tries: ONCE },
  storage: { type: 'Storage', tries: UNTIL_MENDED, nextRetryDelay: '2 seconds' },
  // Of a snapshot that is otherwise whole it is the log that helps: see policies/.
  gone: { type: 'Gone', tries: PASSING },
  internal: { type: 'EngineInternal', tries: ONCE },
};

type Rule = (error: unknown) => Verdict | null;

/** Of one class of errors. Abstract, so that any constructor will do. */
function of<E>(kind: abstract new (...args: never[]) => E, verdict: (error: E) => Verdict): Rule {
  return error => (error instanceof kind ? verdict(error) : null);
}

const once = (error: unknown): Verdict => ({ type: nameOf(error), tries: ONCE });

/** The first that knows the error decides. */
const RULES: Rule[] = [
  of(InvalidSpecError, ({ issues }) => ({ type: 'InvalidSpec', tries: ONCE, details: [issues.slice(0, MOST_ISSUES)] })),
  of(EngineRequestError, ({ code }) => ENGINE_REQUESTS[code]),
  of(EngineLostError, () => ({ type: 'EngineLost', tries: PASSING })),
  of(UnreadableSnapshotError, () => ({ type: 'UnreadableSnapshot', tries: PASSING })),
  // What lies in the workers' environment is put right there, and the same activity goes on.
  of(EndpointRefusedError, ({ mendedIn }) => ({
    type: 'EndpointRefused',
    tries: mendedIn === 'spec' ? ONCE : UNTIL_MENDED,
  })),
  of(MissingKeyError, ({ name }) => ({ type: name, tries: UNTIL_MENDED })),
  // Not by the same activity again: the workflow has it made again by the one that made it.
  of(CorruptArtifactError, ({ name, uri }) => ({ type: name, tries: ONCE, details: [uri] })),
  // The store's mount, most likely: whoever mends it need not start the run again.
  of(StoreMissingError, ({ name }) => ({ type: name, tries: UNTIL_MENDED })),
  error => {
    const trouble = storageTrouble(error);
    return trouble ? { ...ENGINE_REQUESTS.storage, message: trouble } : null;
  },
  of(DataError, once),
  of(DivergenceError, once),
  of(OutOfToleranceError, once),
  of(StaleAttemptError, once),
  of(CustomRewardError, once),
  of(StoreFormatError, once),
  of(StoreNameError, once),
  error => (isOfTheProgram(error) ? { type: nameOf(error), tries: PROGRAM } : null),
];

/** TypeErrors that bear a cause are fetch's, whose network is away. */
function isOfTheProgram(error: unknown): boolean {
  if (error instanceof TypeError) return error.cause === undefined;
  return error instanceof RangeError || error instanceof ReferenceError || error instanceof SyntaxError;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'Error');

/** Characters of a message, and issues of a spec: the server ends workflows whose failures are too large. */
const LONGEST_MESSAGE = 8192;
const MOST_ISSUES = 100;

const counts = new FailureCounts();

/** The failure to tell the server of, of an activity's error. What is one already is told as it is. */
export function failureOf(error: unknown, info: Info): TemporalFailure {
  if (error instanceof TemporalFailure) return error;
  const verdict = RULES.map(rule => rule(error)).find(found => found !== null) ?? {
    type: nameOf(error),
    tries: UNKNOWN,
  };
  const { type, tries, details, nextRetryDelay } = verdict;
  const failed = tries === UNTIL_MENDED || tries === ONCE ? ONCE : counts.add(info);
  const message = verdict.message ?? (error instanceof Error ? error.message : String(error));
  return ApplicationFailure.create({
    message: `${bounded(message)}${outlook(failed, tries)}`,
    type,
    nonRetryable: failed >= tries,
    ...(details && { details }),
    ...(nextRetryDelay && { nextRetryDelay }),
    ...(error instanceof Error && message.length <= LONGEST_MESSAGE && { cause: error }),
  });
}

/** An activity that succeeded begins to count anew, should it ever run again. */
export function forgetFailures(info: Info): void {
  counts.forget(info);
}

/** Until when it is tried, for whoever reads the failure. */
function outlook(failed: number, tries: number): string {
  if (tries === ONCE) return '';
  if (tries === UNTIL_MENDED) return ' (tried again until it is mended)';
  return failed < tries ? ` (try ${failed} of ${tries})` : ` (all ${tries} tries failed)`;
}

function bounded(message: string): string {
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE)} … (cut)`;
}
