/** `s3://bucket/prefix`: where in which bucket a store lies. */
import { isSegment } from '../layout.js';

export interface S3Address {
  bucket: string;
  /** Of all keys; with a "/" at its end unless empty. */
  prefix: string;
}

const SCHEME = 's3://';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** What begins as an S3 address and is none. */
export class S3AddressError extends RangeError {
  override readonly name = 'S3AddressError';
}

export const isS3Address = (root: string): boolean => root.startsWith(SCHEME);

/** @throws S3AddressError */
export function parseS3Address(root: string): S3Address {
  const [bucket = '', ...segments] = root.slice(SCHEME.length).replace(/\/+$/, '').split('/');
  if (!isS3Address(root) || !BUCKET.test(bucket)) {
    throw new S3AddressError(
      `${root}: expected s3://BUCKET or s3://BUCKET/PREFIX, BUCKET of 3 to 63 lower-case letters, digits, "-" and "."`,
    );
  }
  const bad = segments.find(segment => !isSegment(segment));
  if (bad !== undefined) {
    throw new S3AddressError(
      `${root}: "${bad}" cannot be part of the prefix: expected letters, digits, ".", "_", "-", "@" or "+", ` +
        'the first a letter or digit',
    );
  }
  return { bucket, prefix: segments.map(segment => `${segment}/`).join('') };
}
