/** What goes wrong with other people's servers, by what is to be done about it. No message holds a key. */
import { CAUSES, type CauseName, type Circumstances } from './outcomes.js';

/** The endpoint cannot be had now: everything that the budget allows was tried. */
export class EndpointUnavailableError extends Error {
  override readonly name = 'EndpointUnavailableError';
  constructor(
    what: string,
    readonly tries: number,
    readonly seconds: number,
    readonly last: string,
  ) {
    super(
      `${what} gave no usable reply in ${tries === 1 ? 'one try' : `${tries} tries`} over ${Math.round(seconds)} s; last: ${last}`,
    );
  }
}

/** The endpoint will never answer as it is set up. */
export class EndpointRefusedError extends Error {
  override readonly name = 'EndpointRefusedError';
  constructor(
    message: string,
    /** Where it is put right: in a worker's environment, after which the same work goes on, or in the spec. */
    readonly mendedIn: 'environment' | 'spec',
  ) {
    super(message);
  }
}

/** This request alone is refused: too long, or filtered. Others may well be answered. */
export class EndpointRejectedError extends Error {
  override readonly name = 'EndpointRejectedError';
  constructor(
    message: string,
    readonly reason: CauseName = 'rejected',
  ) {
    super(message);
  }
}

/** One try came to no answer, and why: what becomes of the question stands in the table of causes. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  constructor(
    readonly reason: CauseName,
    message: string,
    /** How long the endpoint asks to be left alone, and what it names. */
    readonly said: { retryAfterMs?: number; field?: string | undefined; location?: string | undefined } = {},
  ) {
    super(message);
  }
}

/** A reply that is none: asked for again a few times. */
export class MalformedReplyError extends NoAnswerError {
  constructor(message: string) {
    super('nonsense', message);
  }
}

/** The key that a spec says is in the environment is not. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';
}

/** The refusal that a cause comes to, with its advice. */
export function refusal(
  cause: CauseName,
  what: string,
  said: string,
  circumstances: Circumstances,
): EndpointRefusedError {
  const { mendedIn = 'spec', advice } = CAUSES[cause];
  const message = `${what} refuses: ${said.replace(/\.$/, '')}.${advice ? ` ${advice(circumstances)}` : ''}`;
  return new EndpointRefusedError(message, mendedIn);
}
