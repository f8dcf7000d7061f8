/**
 * Loaded into a worker and its engine before all else: their clock jumps when they are told to. Timers go on as they do
 * when a machine's clock is set, for they run on another one.
 *
 *   LONGHAUL_CHAOS_CLOCK   a file with the seconds to be off by, read again at SIGUSR2
 */
import { readFileSync } from 'node:fs';

const RealDate = Date;
let offsetMs = 0;

class JumpingDate extends RealDate {
  constructor(...values: []) {
    if (values.length === 0) super(JumpingDate.now());
    else super(...values);
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

process.on('SIGUSR2', () => {
  offsetMs = Number(readFileSync(process.env.LONGHAUL_CHAOS_CLOCK!, 'utf8')) * 1000;
});
Object.defineProperty(JumpingDate, 'name', { value: 'Date' });
globalThis.Date = JumpingDate as DateConstructor;
