/**
 * Calls of a service: sent, waited for and tried again by the table of outcomes. Every call but the small ones is answered
 * with a promise at once; its result is asked for until it is there.
 */
import { EngineLostError } from '../../protocol/index.js';
import type { WholeSettings } from '../settings.js';
import { type Answer, type Call, Http, NoAnswerError, PROTOBUF } from './http.js';
import { errorOf, type Failure, remedyFor, ServiceAwayError } from './outcomes.js';

/** Milliseconds: waits grow from the first to the last of them. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** A small answer; a promise's is given so long, then asked for anew. */
const CALL_TIMEOUT = 60_000;
const PROMISE_TIMEOUT = 60_000;
const ARCHIVE_TIMEOUT = 3_600_000;
/** How long a service that answers "not yet" at once is left alone. */
const PAUSES = [20, 100, 500, 1000];
/** Of a promise that the service does not know, or no longer. */
const UNKNOWN = [404, 410];
/** How often a call is sent anew because the service forgot its promise. */
const RESUBMISSIONS = 3;

export type Json = Record<string, unknown>;

/** A call failed for good by what the service said: within the wire, where the table of outcomes decides what follows. */
class CallFailedError extends Error {
  override readonly name = 'CallFailedError';
  constructor(
    readonly failure: Failure,
    what: string,
  ) {
    super(errorOf(failure, what).message);
  }
}

interface Waiting {
  signal?: AbortSignal | undefined;
}

export class Service {
  private readonly http: Http;
  /** How often a connection was refused or broke: the service may have been started anew, without what it had in memory. */
  breaks = 0;

  constructor(private readonly settings: WholeSettings) {
    this.http = new Http(settings);
  }

  get name(): string {
    return this.http.name;
  }

  /** A call that is answered at once; without a body it is a GET. @throws what the table of outcomes says */
  async ask(path: string, body?: object, { signal }: Waiting = {}): Promise<Json> {
    try {
      return this.json(path, await this.answered({ path, ...(body && { body }), milliseconds: CALL_TIMEOUT, signal }));
    } catch (error) {
      throw this.thrown(error);
    }
  }

  /**
   * A call that is answered with a promise, and its result.
   * @param decode the result's protobuf; none where it is JSON
   */
  async result<T = Json>(
    path: string,
    body: object | Uint8Array,
    { signal, decode }: Waiting & { decode?: (bytes: Uint8Array) => T } = {},
  ): Promise<T> {
    for (let sent = 1; ; sent++) {
      const promise = await this.submit(path, body, { signal });
      try {
        return await this.awaited(path, promise, { signal, ...(decode && { decode }) });
      } catch (error) {
        const forgotten = error instanceof CallFailedError && remedyFor(error.failure) === 'resubmit';
        if (forgotten && sent < RESUBMISSIONS) continue;
        throw this.thrown(error);
      }
    }
  }

  /**
   * Results of calls that are sent one after the other, in that order, and waited for together.
   * @param bodies made as they are sent
   */
  async results<T>(
    path: string,
    bodies: readonly (object | Uint8Array)[],
    { signal, decode }: Waiting & { decode: (bytes: Uint8Array) => T },
  ): Promise<T[]> {
    const promises: string[] = [];
    for (const body of bodies) promises.push(await this.submit(path, body, { signal }));
    return Promise.all(
      promises.map((promise, i) =>
        this.awaited(path, promise, { signal, decode }).catch(error => {
          // Sent again it is the same call, whose promise the service makes anew.
          if (error instanceof CallFailedError && remedyFor(error.failure) === 'resubmit')
            return this.result(path, bodies[i]!, { signal, decode });
          throw this.thrown(error);
        }),
      ),
    );
  }

  /** Sends a call and gives its promise's id. */
  private async submit(path: string, body: object | Uint8Array, { signal }: Waiting = {}): Promise<string> {
    try {
      const answer = await this.answered({ path, body, milliseconds: CALL_TIMEOUT, signal });
      const { request_id: id } = this.json(path, answer);
      if (typeof id === 'string' || typeof id === 'number') return String(id);
      throw this.strange(path, answer, 'with a request_id');
    } catch (error) {
      throw this.thrown(error);
    }
  }

  /** @throws CallFailedError where a promise failed or is forgotten; EngineLostError where it does not come */
  private async awaited<T = Json>(
    path: string,
    promise: string,
    { signal, decode }: Waiting & { decode?: (bytes: Uint8Array) => T } = {},
  ): Promise<T> {
    const { clock, longestCall } = this.settings;
    const until = clock.now() + 1000 * longestCall;
    for (let asked = 0; ; asked++) {
      const answer = await this.answered({
        path: 'retrieve_future',
        body: { request_id: promise },
        accept: decode ? PROTOBUF : 'application/json',
        milliseconds: PROMISE_TIMEOUT,
        signal,
        awaited: path,
      });
      if (answer) {
        if (answer.type.startsWith(PROTOBUF)) return this.decoded(path, answer, decode);
        const json = this.json(path, answer);
        if (json.error !== undefined) throw this.failed(path, 200, this.text(json.error), json.category);
        if (json.type !== 'try_again') {
          if (decode) throw this.strange(path, answer, 'in protobuf');
          return json as T;
        }
      }
      if (clock.now() > until)
        throw new EngineLostError(
          `${this.name} gave no result of ${path} within ${longestCall} s: the call counts as lost, and the policy with it`,
        );
      if (answer) await clock.sleep(PAUSES[Math.min(asked, PAUSES.length - 1)]!, signal);
    }
  }

  /** The bytes of an archive, from wherever the service sends on to. */
  async archive(path: string, { signal }: Waiting = {}): Promise<Buffer> {
    try {
      return (await this.answered({ path, accept: '*/*', milliseconds: ARCHIVE_TIMEOUT, signal, called: 'archive' }))
        .bytes;
    } catch (error) {
      throw this.thrown(error);
    }
  }

  /** A call whose outcome is no matter: sent once, and what becomes of it is not told. */
  async drop(path: string, body: object): Promise<void> {
    await this.once({ path, body });
  }

  /** Removes something, as far as it goes. */
  async remove(path: string): Promise<void> {
    await this.once({ path, method: 'DELETE' });
  }

  private async once(call: Pick<Call, 'path' | 'body' | 'method'>): Promise<void> {
    try {
      await this.http.send({ ...call, milliseconds: CALL_TIMEOUT });
    } catch (error) {
      if (error instanceof NoAnswerError && !error.late) this.breaks++;
    }
  }

  /** What is thrown beyond the wire. */
  private thrown(error: unknown): unknown {
    return error instanceof CallFailedError ? errorOf(error.failure, this.name) : error;
  }

  private answered(call: Call & { called?: string }): Promise<Answer>;
  private answered(call: Call & { awaited: string }): Promise<Answer | null>;
  /**
   * The first answer that is one, within the service's patience. Of an `awaited` call's promise null where it takes its time.
   */
  private async answered(call: Call & { called?: string; awaited?: string }): Promise<Answer | null> {
    const { clock, patience } = this.settings;
    const started = clock.now();
    const name = call.called ?? call.path;
    for (let tries = 1; ; tries++) {
      let last: string;
      let wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1));
      try {
        const answer = await this.http.send(call);
        if (answer.status < 300) return answer;
        // A promise that is not known is told by these; any other failure is the call's own.
        const whose = UNKNOWN.includes(answer.status) ? name : (call.awaited ?? name);
        const failure = this.failed(whose, answer.status, answer.bytes.toString('utf8'));
        if (remedyFor(failure.failure) !== 'again') throw failure;
        // How a promise that is not there yet is answered, as the SDK reads it.
        if (call.awaited && answer.status === 408) return null;
        last = failure.message;
        wait = Math.max(wait, answer.retryAfterMs);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        if (call.awaited && error.late) return null;
        if (!error.late) this.breaks++;
        last = error.message;
      }
      if (clock.now() - started + wait > 1000 * patience)
        throw new ServiceAwayError(`${last} (${tries === 1 ? 'one try' : `${tries} tries`} in ${patience} s)`);
      await clock.sleep(wait, call.signal);
    }
  }

  private failed(path: string, status: number, text: string, category?: unknown): CallFailedError {
    const failure = {
      path,
      status,
      text: this.http.safe(text),
      category: typeof category === 'string' ? category : undefined,
    };
    return new CallFailedError(failure, this.name);
  }

  private decoded<T>(path: string, answer: Answer, decode: ((bytes: Uint8Array) => T) | undefined): T {
    try {
      if (decode) return decode(answer.bytes);
    } catch {}
    throw this.strange(path, answer, decode ? 'in the protobuf of SDK 0.25' : 'in JSON');
  }

  private json(path: string, answer: Answer): Json {
    try {
      const value: unknown = JSON.parse(answer.bytes.toString('utf8'));
      if (typeof value === 'object' && value !== null) return value as Json;
    } catch {}
    throw this.strange(path, answer, 'in JSON');
  }

  private strange(path: string, answer: Answer, expected: string): Error {
    const begins = answer.type.startsWith(PROTOBUF)
      ? `${answer.bytes.length} bytes`
      : answer.bytes.toString('utf8', 0, 200);
    return this.thrown(
      this.failed(path, 422, `expected an answer ${expected}, got ${answer.type || 'no type'}: ${begins}`),
    ) as Error;
  }

  private text(error: unknown): string {
    return typeof error === 'string' ? error : JSON.stringify(error);
  }
}
