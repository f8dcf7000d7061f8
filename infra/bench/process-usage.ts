/** What the system knows about a process's memory and time, read from /proc; null on systems that have none. */
import { readFileSync } from 'node:fs';

/** The kernel counts processor time in hundredths of a second for /proc, whatever its own tick. */
const TICKS_PER_SECOND = 100;

/** Most memory the process has ever had resident, in bytes: the kernel's own high-water mark. */
export const peakMemory = (pid: number): number | null => statusBytes(pid, 'VmHWM');

/** Memory the process has resident now, in bytes. */
export const residentMemory = (pid: number): number | null => statusBytes(pid, 'VmRSS');

/** Processor time all threads of the process have used, in seconds. */
export function processorTime(pid: number): number | null {
  const stat = proc(pid, 'stat');
  if (stat === null) return null;
  // Counted after the program's name, which may hold blanks: user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Processor time everything on the machine has used since it started, in seconds. */
export function machineTime(): number | null {
  const fields = read('/proc/stat')
    ?.match(/^cpu +(.*)$/m)?.[1]
    ?.split(' ')
    .map(Number);
  if (!fields) return null;
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = fields;
  return (user + nice + system + interrupts + softInterrupts) / TICKS_PER_SECOND;
}

function statusBytes(pid: number, field: string): number | null {
  const kilobytes = proc(pid, 'status')?.match(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm'))?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

const proc = (pid: number, file: string): string | null => read(`/proc/${pid}/${file}`);

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
