/** Every kind of failure: how often it is tried again, and what the server is told; nothing is tried without end in silence. */
import type { Info } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { UnreadableSnapshotError } from '../../../activities/artifacts/index.js';
import { DataError } from '../../../activities/datasets/index.js';
import { EngineLostError, EngineRequestError } from '../../../activities/engine/protocol/index.js';
import { EndpointRefusedError, MissingKeyError } from '../../../activities/remote/index.js';
import { CustomRewardError } from '../../../activities/rewards/index.js';
import { InvalidSpecError } from '../../../activities/spec/index.js';
import {
  CorruptArtifactError,
  MissingArtifactError,
  StoreMissingError,
  StoreNameError,
} from '../../../activities/store/index.js';
import { failureOf, forgetFailures } from '../../../activities/supervision/failures.js';

let activities = 0;
/** An activity that has not failed yet. */
const fresh = (): Info => ({ activityId: `${++activities}`, workflowExecution: { runId: 'run' } }) as unknown as Info;

/** Failures until it is given up; null where it never is, after more than any limit. */
function triesOf(error: () => unknown): number | null {
  const info = fresh();
  for (let failed = 1; failed <= 1000; failed++) {
    if ((failureOf(error(), info) as ApplicationFailure).nonRetryable) return failed;
  }
  return null;
}

const diskError = (code: string): Error => Object.assign(new Error(`${code}: write`), { code });

test.each<[string, () => unknown, string, number | null]>([
  ['a wrong spec', () => new InvalidSpecError([{ path: 'model', problem: 'none' }]), 'InvalidSpec', 1],
  ['wrong data', () => new DataError('line 3'), 'DataError', 1],
  ['a wrong model', () => new EngineRequestError('no', 'bad-model'), 'BadModel', 1],
  ['a loss that is no number', () => new EngineRequestError('NaN', 'not-finite'), 'NotFinite', 1],
  ['a policy that the engine forgot', () => new EngineRequestError('none', 'not-loaded'), 'NotLoaded', 10],
  ['a full disk under the engine', () => new EngineRequestError('full', 'storage'), 'Storage', null],
  ['a full disk', () => diskError('ENOSPC'), 'Storage', null],
  ['an engine that died', () => new EngineLostError('gone'), 'EngineLost', 10],
  [
    'a snapshot out of reach',
    () => new UnreadableSnapshotError('store:x', new Error('away')),
    'UnreadableSnapshot',
    10,
  ],
  ['a damaged artifact', () => new CorruptArtifactError('store:x', 'a', 'b'), 'CorruptArtifactError', 1],
  ['an artifact that is missing', () => new MissingArtifactError('store:x', 'read'), 'MissingArtifactError', 120],
  ['a store that is missing', () => new StoreMissingError('/mnt/store'), 'StoreMissingError', null],
  ['a name that leads elsewhere', () => new StoreNameError('no'), 'StoreNameError', 1],
  ['an endpoint that refuses the spec', () => new EndpointRefusedError('400', 'spec'), 'EndpointRefused', 1],
  ['an endpoint that refuses the key', () => new EndpointRefusedError('401', 'environment'), 'EndpointRefused', null],
  ['a key that is missing', () => new MissingKeyError('JUDGE_KEY'), 'MissingKeyError', null],
  ['a reward that throws', () => new CustomRewardError('oops'), 'CustomRewardError', 1],
  ['a TypeError', () => new TypeError('x is undefined'), 'TypeError', 3],
  ['a RangeError', () => new RangeError('Invalid array length'), 'RangeError', 3],
  [
    'fetch without a network',
    () => new TypeError('fetch failed', { cause: diskError('ECONNREFUSED') }),
    'TypeError',
    120,
  ],
  ['anything else', () => new Error('the Hub is away'), 'Error', 120],
  ['what is no error', () => 'text', 'Error', 120],
])('%s', (_, error, type, tries) => {
  expect((failureOf(error(), fresh()) as ApplicationFailure).type).toBe(type);
  expect(triesOf(error)).toBe(tries);
});

test('the message says until when it is tried', () => {
  const info = fresh();
  const said = (error: unknown) => failureOf(error, info).message;
  expect(said(diskError('ENOSPC'))).toMatch(/^the disk is full: make room .* \(tried again until it is mended\)$/);
  expect(said(new TypeError('oops'))).toBe('oops (try 1 of 3)');
  expect(said(new TypeError('oops'))).toBe('oops (try 2 of 3)');
  expect(said(new TypeError('oops'))).toBe('oops (all 3 tries failed)');
  forgetFailures(info);
  expect(said(new TypeError('oops'))).toBe('oops (try 1 of 3)');
  expect(said(new DataError('line 3'))).toBe('line 3');
});

test('a failure that is one already is told as it is', () => {
  const failure = ApplicationFailure.nonRetryable('mine', 'Mine');
  expect(failureOf(failure, fresh())).toBe(failure);
});

test('no failure is too large for the server: messages and issues have a limit', () => {
  const long = failureOf(new Error('x'.repeat(3_000_000)), fresh()) as ApplicationFailure;
  expect(long.message.length).toBeLessThan(10_000);
  expect(long.cause).toBeUndefined();
  const issues = Array.from({ length: 10_000 }, (_, i) => ({ path: `data.${i}`, problem: 'expected a path' }));
  const many = failureOf(new InvalidSpecError(issues), fresh()) as ApplicationFailure;
  expect(JSON.stringify([many.message, many.details]).length).toBeLessThan(50_000);
});
