/** What a server's refusals mean to the store. */
import { StoreAwayError } from '../store.js';

interface ServerError {
  name: string;
  message: string;
  $metadata?: { httpStatusCode?: number };
}

/** What to do about refusals that somebody can make pass. */
const ADVICE: Record<string, string> = {
  NoSuchBucket: 'the bucket is not there',
  AccessDenied: 'the credentials may not do that: they must get, put, delete and list objects',
  Forbidden: 'the credentials may not do that: they must get, put, delete and list objects',
  InvalidAccessKeyId: 'the server does not know the access key',
  SignatureDoesNotMatch: 'the secret key is not the one of the access key',
  ExpiredToken: 'the credentials have expired',
  CredentialsProviderError:
    'there are no credentials: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  PermanentRedirect: 'the bucket is in another region: set AWS_REGION',
  AuthorizationHeaderMalformed: 'the bucket is in another region: set AWS_REGION',
};
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

/** An error in the store's terms: one that passes, or that somebody makes pass, says that the store is away. */
export function translated(root: string, doing: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreAwayError) return error;
  const { name, message } = error;
  const advice = ADVICE[name] ?? (passes(error) ? NETWORK : null);
  const said = `${doing}: ${[name, message].filter(Boolean).join(': ') || 'no answer'}`;
  if (advice) return new StoreAwayError(root, `${said} (${advice})`);
  return new Error(`${root}: ${said}`, { cause: error });
}
