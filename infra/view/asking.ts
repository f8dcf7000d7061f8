/** Questions to a server that may be away, or may hand them to a worker that is gone and answer after half a minute. */
import type { Client } from '@temporalio/client';

/** Past it a server or worker counts as away for the moment. */
const ANSWER_LIMIT_MS = 5000;

/** Puts questions through the client; one that is not answered within the limit fails. */
export const asking =
  (client: Client, limitMs = ANSWER_LIMIT_MS) =>
  <T>(question: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + limitMs, question);
