/** What a rule of differentiation is: its own file, so that composite operators can bring their rules along. */
import type { Attributes, Graph, Value } from '../graph/index.js';

export interface GradientContext {
  g: Graph;
  inputs: readonly Value[];
  outputs: readonly Value[];
  attributes: Attributes;
  /** Of each output; null where nothing depends on it. */
  gradients: readonly (Value | null)[];
  /** Whether input i's gradient is asked for. */
  needs: readonly boolean[];
}

/** Gives one gradient an input; null where there is none (indices, axes) or none is asked for. */
export type GradientRule = (context: GradientContext) => (Value | null)[];
