/** Policies as workflows know them: by name. */

/** A policy: weights plus optimiser state at a step. */
export interface PolicyRef {
  /** Hash of the parent's name, the update's inputs and settings: the policy's identity. */
  name: string;
  /** Store uri of the checkpoint folder, once one is written; a policy between snapshots has its update's uri. */
  uri: string;
  /** SHA-256 of the model.safetensors it has or would have; of a run that trains an adapter, adapter_model.safetensors. */
  sha256: string;
}

/** A number of steps, or what Young's rule goes by, in seconds; `cost` is what one is taken to be until one is measured. */
export type SnapshotRule = number | { cost: number; meanTimeBetweenFailures: number };
