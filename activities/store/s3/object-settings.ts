/** How a store's objects are kept by the server: encrypted by which key, in which class of storage. */
import type { ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3';

export interface ObjectSettings {
  /** Server-side encryption: AES256, aws:kms or aws:kms:dsse; the bucket's default unless told. */
  sse?: string;
  /** Id or ARN of the KMS key; the account's default unless told. */
  sseKmsKeyId?: string;
  /** The bucket's default unless told. */
  storageClass?: string;
}

export const SSE = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const;
/** Of these an object is read only after hours, when somebody has asked for it to be brought back. */
const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE'];

/** @throws RangeError for what cannot be, naming the flag */
export function checkSettings({ sse, sseKmsKeyId, storageClass }: ObjectSettings): void {
  if (sse !== undefined && !(SSE as readonly string[]).includes(sse))
    throw new RangeError(`--sse ${sse}: expected ${SSE.join(', ')}`);
  if (sseKmsKeyId !== undefined && !sse?.startsWith('aws:kms'))
    throw new RangeError(`--sse-kms-key-id ${sseKmsKeyId}: expected --sse aws:kms or aws:kms:dsse with it`);
  if (storageClass !== undefined && !/^[A-Z][A-Z0-9_]*$/.test(storageClass))
    throw new RangeError(`--storage-class ${storageClass}: expected a name like STANDARD_IA`);
  if (storageClass !== undefined && ARCHIVES.includes(storageClass))
    throw new RangeError(
      `--storage-class ${storageClass}: objects of this class cannot be read at once: expected another, e.g. GLACIER_IR`,
    );
}

/** As a request that makes an object has them. */
export function settingsFields({ sse, sseKmsKeyId, storageClass }: ObjectSettings) {
  return {
    ...(sse && { ServerSideEncryption: sse as ServerSideEncryption }),
    ...(sseKmsKeyId && { SSEKMSKeyId: sseKmsKeyId }),
    ...(storageClass && { StorageClass: storageClass as StorageClass }),
  };
}
