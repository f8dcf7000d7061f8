/** What goes wrong with other people's servers, by what is to be done about it. No message holds a key. */

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
}

/** A reply that is none: asked for again within the budget, like a failed connection. */
export class MalformedReplyError extends Error {
  override readonly name = 'MalformedReplyError';
}

/** The key that a spec says is in the environment is not. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';
}
