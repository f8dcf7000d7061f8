/** What goes over a stand-in's wire in passes: sequences, what is computed of them, and what they are to weigh. */
import { decodePass } from '../../../activities/engine/tinker/wire/messages';
import type { TinkerServer } from './server';

export interface Passed {
  /** Its ids, with commas between. */
  sequence: string;
  logprobs: number[];
  /** Null of a forward pass. */
  advantages: number[] | null;
}

/** Grows with every pass from now on. */
export function passesOf({ state }: TinkerServer): Passed[] {
  const passes: Passed[] = [];
  const pass = state.pass.bind(state);
  state.pass = async request => {
    const result = await pass(request);
    decodePass(result.protobuf).forEach((logprobs, i) => {
      const { tokens, advantages } = request.data[i]!;
      passes.push({ sequence: tokens.join(), logprobs: [...logprobs], advantages });
    });
    return result;
  };
  return passes;
}
