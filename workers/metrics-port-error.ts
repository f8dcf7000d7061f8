/** Apart from the server itself, so that naming it does not load the worker's native library. */

/** The metrics cannot be served where they were to be. */
export class MetricsPortError extends Error {
  override readonly name = 'MetricsPortError';
  constructor(host: string, port: number, { code, message }: NodeJS.ErrnoException) {
    const why = code === 'EADDRINUSE' ? 'the port is taken' : message;
    super(
      `--metrics-port ${port}: no metrics can be served at ${host}:${port} (${why}). Each worker needs a port of its own: ` +
        'name another, or leave it out.',
    );
  }
}
