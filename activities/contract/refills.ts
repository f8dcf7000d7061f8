/** How many prompts a step draws again (DAPO's dynamic sampling). Of no dependence, for the workflow and its activity. */

/** Of the rounds so far. */
export interface Drawn {
  /** Prompts. */
  drawn: number;
  /** Groups that teach something. */
  effective: number;
}

/** As many prompts as should fill the step, going by the share of groups that taught something so far. */
export function promptsToDraw(wanted: number, { drawn, effective }: Drawn): number {
  if (effective === 0) return wanted;
  return Math.min(wanted, Math.ceil(((wanted - effective) * drawn) / effective));
}
