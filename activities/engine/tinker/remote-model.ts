/** A model on the service: its calls, each with the next number of the model's own count. */
import { EngineLostError } from '../protocol/index.js';
import { type Datum, decodePass, encodePass, withSeq } from './wire/messages.js';
import { TakenError } from './wire/outcomes.js';
import type { Service } from './wire/service.js';

/** Gives each training call its number, before it is sent: services take two calls of one number for the same. */
export type Numbers = (what: string) => Promise<number>;

/** Of a model that nobody asks for again. */
export function counting(): Numbers {
  let seq = 0;
  return async () => ++seq;
}

export interface AdamParams {
  learning_rate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weight_decay: number;
  /** Left out where the service does not clip by it: some refuse what they do not know. */
  grad_clip_norm?: number;
}

/** As the SDK splits a pass: data and bytes of one call at most. Larger ones are refused by the hosted service. */
const MOST_DATA = 1024;
const MOST_BYTES = 5e6;
/** On the wire a target takes a token of 4 bytes, a target of 8, and 4 for each of two arrays. */
const BYTES_PER_TARGET = 20;
/** Another name is taken when one is. */
const NAMES = 3;

export class RemoteModel {
  constructor(
    private readonly service: Service,
    readonly id: string,
    private readonly numbers: Numbers,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Log-probabilities of every datum's targets. */
  async forward(sequences: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const data = sequences.map(tokens => ({
      tokens,
      inputs: { weights: new Float32Array(tokens.length - 1).fill(1) },
    }));
    return this.passes(chunks(data), 'cross_entropy', true);
  }

  /** Adds to the gradient that the next step takes: by -advantage times the derivative of each target's log-probability. */
  async gradient(calls: readonly (readonly Datum[])[]): Promise<void> {
    await this.passes(calls, 'importance_sampling', false);
  }

  /** @returns the service's metrics */
  async optimStep(adam: AdamParams): Promise<Record<string, number>> {
    const body = { model_id: this.id, adam_params: adam, type: 'optim_step' };
    const seq_id = await this.numbers('optim_step');
    const { metrics } = await this.service.result('optim_step', { ...body, seq_id }, { signal: this.signal });
    return (metrics ?? {}) as Record<string, number>;
  }

  /** @returns the address of the saved weights: to train on from, with the optimiser, or to sample from */
  async save(what: 'save_weights' | 'save_weights_for_sampler'): Promise<string> {
    for (let tries = 1; ; tries++) {
      const seq_id = await this.numbers(what);
      // A name of its own each: a service may keep what it had under a name that comes again.
      const body = { model_id: this.id, path: `s${seq_id}`, seq_id, type: what };
      try {
        const { path } = await this.service.result(what, body, { signal: this.signal });
        if (typeof path === 'string') return path;
        throw new EngineLostError(`${this.service.name} answered ${what} without an address of what it saved`);
      } catch (error) {
        if (!(error instanceof TakenError) || tries === NAMES) throw error;
      }
    }
  }

  /** The model's first call. */
  async load(path: string, optimizer: boolean): Promise<void> {
    const body = { model_id: this.id, path, optimizer, type: 'load_weights' };
    const seq_id = await this.numbers('load_weights');
    await this.service.result('load_weights', { ...body, seq_id }, { signal: this.signal });
  }

  private async passes(
    calls: readonly (readonly Datum[])[],
    loss: 'cross_entropy' | 'importance_sampling',
    forwardOnly: boolean,
  ): Promise<Float32Array[]> {
    const bodies: Uint8Array[] = [];
    for (const data of calls) {
      const body = encodePass({ model: this.id, data, loss, forwardOnly });
      bodies.push(withSeq(body, await this.numbers(forwardOnly ? 'forward' : 'forward_backward')));
    }
    const results = await this.service.results('forward_backward', bodies, { signal: this.signal, decode: decodePass });
    return results.flatMap((logprobs, i) => {
      const expected = calls[i]!.map(({ tokens }) => tokens.length - 1);
      if (logprobs.map(({ length }) => length).join() === expected.join()) return logprobs;
      throw new EngineLostError(
        `${this.service.name} answered forward_backward with log-probabilities of ${logprobs.map(l => l.length).join(', ') || 'no'} tokens; expected ${expected.join(', ')}`,
      );
    });
  }
}

/** Data in the order given, in calls of a size that services take. */
export function chunks<D extends { tokens: readonly number[] }>(data: readonly D[]): D[][] {
  const calls: D[][] = [];
  let bytes = 0;
  for (const datum of data) {
    const size = BYTES_PER_TARGET * datum.tokens.length;
    const last = calls.at(-1);
    if (last && last.length < MOST_DATA && bytes + size <= MOST_BYTES) {
      last.push(datum);
      bytes += size;
    } else {
      calls.push([datum]);
      bytes = size;
    }
  }
  return calls;
}
