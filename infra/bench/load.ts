/** What kept the processor busy during a turn besides the side whose turn it was: the timings' trustworthiness. */
import { familyTime, machineTime, processorTime } from './process-usage.js';

/** Processor seconds per second (1 is a core kept busy), or null where the system does not tell. */
export interface Load {
  /** Of each process; null for the one whose turn it was. */
  idle: (number | null)[];
  /** Of everything that takes no part. */
  foreign: number | null;
}

/** Starts watching the machine. @returns what to call at the turn's end */
export function watchLoad(pids: readonly number[], turn: number): () => Load {
  const look = () => ({
    at: performance.now() / 1000,
    each: pids.map(familyTime),
    own: processorTime(process.pid),
    machine: machineTime(),
  });
  const before = look();
  return () => {
    const after = look();
    const wall = after.at - before.at;
    const used = (then: number | null, now: number | null) => (then === null || now === null ? null : now - then);
    const each = pids.map((_, i) => used(before.each[i]!, after.each[i]!));
    const machine = used(before.machine, after.machine);
    const ours = [...each, used(before.own, after.own)].reduce<number>((sum, time) => sum + (time ?? 0), 0);
    return {
      idle: each.map((time, i) => (i === turn || time === null ? null : time / wall)),
      foreign: machine === null ? null : Math.max(0, machine - ours) / wall,
    };
  };
}
