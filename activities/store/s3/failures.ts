/** What a server's refusals mean to the store. */
import { StoreAwayError } from '../store.js';

interface ServerError {
  name: string;
  message: string;
  $metadata?: { httpStatusCode?: number };
  /** Of the bucket, where it is another than was asked. */
  Region?: string;
  $response?: { headers?: Record<string, string> };
}

const EXPIRED = 'the credentials have expired: get new ones (aws sso login, say), or have a role renew them';
const CREDENTIALS = 'there are no credentials: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE';
const RIGHTS = 'the credentials may not do that: they must get, put, delete and list objects';
const REGION = 'the bucket is in another region: give --region or AWS_REGION';
const FULL = 'the bucket is full: make room or raise its quota';

/** What to do about refusals that somebody can make pass. */
const ADVICE: Record<string, string> = {
  NoSuchBucket: 'the bucket is not there: make it first, or correct its name',
  AccessDenied: RIGHTS,
  Forbidden: RIGHTS,
  InvalidAccessKeyId: 'the server does not know the access key',
  SignatureDoesNotMatch: 'the secret key is not the one of the access key',
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  InvalidToken: 'AWS_SESSION_TOKEN is not the one of the access key',
  CredentialsProviderError: CREDENTIALS,
  RequestTimeTooSkewed: "this machine's clock differs from the server's by too much: set it, by NTP",
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  QuotaExceeded: FULL,
  InsufficientStorage: FULL,
  InvalidStorageClass: 'the server has no such class of storage: give store create another --storage-class',
};
/** The same, by how the name or the message begins. */
const KINDS_OF_ADVICE: readonly [RegExp, string][] = [
  [/^KMS\./, 'the KMS key cannot be used: is it there, enabled, and are the credentials allowed to use it?'],
  [/^Region is missing/, 'no region is known: give --region or AWS_REGION, or --endpoint-url for a server of your own'],
  [
    /(self.signed certificate|unable to (verify|get local)|ERR_TLS_CERT|certificate has expired)/i,
    'its certificate is not trusted: name its authority by NODE_EXTRA_CA_CERTS',
  ],
  [/(wrong version number|EPROTO)/, 'it speaks http:// where https:// was said'],
];
/** Of connections that were not made, or broke: looked for in the message too, as the client wraps what is not its own. */
const NETWORK_CODES =
  /\b(ECONN(REFUSED|RESET|ABORTED)|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_STREAM_PREMATURE_CLOSE)\b/;
const NETWORK = 'is it up, and AWS_ENDPOINT_URL_S3 its address?';

export const statusOf = (error: unknown): number | undefined => (error as ServerError).$metadata?.httpStatusCode;

/** Whether an error says that there is no such object. Of a HEAD it may also be the bucket that is not there. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && (error as ServerError).name !== 'NoSuchBucket';
}

/** Whether a conditional request was refused for its condition. */
export const isRefused = (error: unknown): boolean => statusOf(error) === 412;

/** Whether the same request may succeed later by itself: nothing was heard, it was too busy, or others came at once. */
export function passes(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined) {
    const { name, message, code } = error as NodeJS.ErrnoException;
    return name === 'TimeoutError' || NETWORK_CODES.test(`${code} ${message}`);
  }
  return status === 429 || status === 408 || (status >= 500 && status !== 501) || isConflict(error);
}

/**
 * 409 has other meanings, which do not pass: told apart by name. The third is said by servers that keep objects as files, of a
 * name whose folder another removes at that moment.
 */
const isConflict = (error: unknown): boolean =>
  ['ConditionalRequestConflict', 'OperationAborted', 'ExistingObjectIsDirectory'].includes((error as ServerError).name);

function adviceOn(error: Error): string | null {
  const { name, message } = error;
  const advice = ADVICE[name] ?? KINDS_OF_ADVICE.find(([said]) => said.test(name) || said.test(message))?.[1];
  if (advice !== REGION) return advice ?? null;
  const region = regionIn(error as ServerError);
  return region ? `the bucket is in region ${region}: give --region ${region} or AWS_REGION` : advice;
}

/** Where the server says that the bucket is. */
function regionIn({ Region, message, $response }: ServerError): string | null {
  const said = /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
  return Region ?? $response?.headers?.['x-amz-bucket-region'] ?? said ?? null;
}

/** An error in the store's terms: one that passes, or that somebody makes pass, says that the store is away. */
export function translated(root: string, doing: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreAwayError) return error;
  const { name, message } = error;
  const advice = adviceOn(error) ?? (passes(error) ? NETWORK : null);
  const said = `${doing}: ${[name, message].filter(Boolean).join(': ') || 'no answer'}`;
  if (advice) return new StoreAwayError(root, `${said} (${advice})`);
  return new Error(`${root}: ${said}`, { cause: error });
}
