/** A response's reward as a small square. */
import { h, number } from './dom.js';

export const chip = reward =>
  h(`span.chip.${kindOf(reward)}`, { title: reward === null ? 'unscored' : number(reward) });

export const kindOf = reward =>
  reward === null || reward === undefined ? 'unknown' : reward >= 1 ? 'right' : reward > 0 ? 'partly' : 'wrong';
