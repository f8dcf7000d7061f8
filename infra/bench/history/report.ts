/** What a long phase came to, in lines. */
import { at, most, slope } from './memory.js';
import type { HistoryResult, HistorySize } from './run.js';

/** From here on memory is to be flat. */
const SETTLED = 0.1;
const SHARES = [SETTLED, 0.5, 1];

export function historyLines({ steps, seconds, executions, parent, samples }: HistoryResult): string[] {
  const largest = {
    events: Math.max(...executions.map(({ events }) => events)),
    bytes: Math.max(...executions.map(({ bytes }) => bytes)),
  };
  const memory = SHARES.map(share => `${inMiB(at(samples, steps, share).bytes)} at ${share * 100} %`);
  return [
    `${steps} steps in ${seconds.toFixed(0)} s`,
    `phase: ${executions.length} executions (${executions.length - 1} times continued as new); the largest history has ${size(largest)}`,
    `run that the phase is part of: one history of ${size(parent)}`,
    ...(samples.length === 0
      ? []
      : [
          `resident memory of the workflow worker: ${memory.join(', ')} of the steps; most in the first half ` +
            `${inMiB(most(samples, 0, steps / 2))}, in the second ${inMiB(most(samples, steps / 2, steps))}`,
          `slope: ${inMiB(slope(samples, steps, SETTLED))} each 1,000 steps from ${SETTLED * 100} % on, ` +
            `${inMiB(slope(samples, steps, 0.5))} from 50 % on`,
        ]),
  ];
}

const size = ({ events, bytes }: HistorySize): string => `${events} events, ${(bytes / 1024).toFixed(0)} KiB`;
const inMiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
