import { DataError } from '../../activities/datasets/index.js';
import { EngineLostError, EngineRequestError } from '../../activities/engine/protocol/index.js';
import { OutOfToleranceError } from '../../activities/provenance/index.js';
import { InvalidSpecError } from '../../activities/spec/index.js';
import {
  DivergenceError,
  S3AddressError,
  StoreAwayError,
  StoreFormatError,
  StoreMissingError,
  StoreNameError,
  UnfitBucketError,
} from '../../activities/store/index.js';
import { IncompatibleRunsError } from '../../workers/incompatible-runs.js';
import { MetricsPortError } from '../../workers/metrics-port-error.js';
import { OtherNumericsError } from '../../workers/other-numerics.js';
import { OtherStoreError } from '../../workers/other-store.js';
import { UnservedRunsError } from '../../workers/unserved-runs.js';
import { UserError } from '../user-error.js';

/** Errors whose message says all a person needs; others are shown with their stack. */
const PLAIN = [
  UserError,
  StoreNameError,
  InvalidSpecError,
  DataError,
  DivergenceError,
  IncompatibleRunsError,
  OtherNumericsError,
  UnservedRunsError,
  OutOfToleranceError,
  OtherStoreError,
  MetricsPortError,
  EngineRequestError,
  EngineLostError,
  StoreMissingError,
  StoreFormatError,
  StoreAwayError,
  S3AddressError,
  UnfitBucketError,
];

export const isPlain = (error: unknown): error is Error => PLAIN.some(type => error instanceof type);
