/** What the system knows about a process's memory and time, read from /proc; null on systems that have none. */
import { readFileSync } from 'node:fs';

/** The kernel counts processor time in hundredths of a second for /proc, whatever its own tick. */
const TICKS_PER_SECOND = 100;

/** Most memory the process has ever had resident, in bytes: the kernel's own high-water mark. */
export const peakMemory = (pid: number): number | null => statusBytes(pid, 'VmHWM');

/** Memory the process has resident now, in bytes. */
export const residentMemory = (pid: number): number | null => statusBytes(pid, 'VmRSS');

/** Processor time all threads of the process have used, in seconds. */
export const processorTime = (pid: number): number | null => statSum(pid, ['utime', 'stime'], TICKS_PER_SECOND);

/** The same with that of the processes that it started and that have ended. */
export const familyTime = (pid: number): number | null =>
  statSum(pid, ['utime', 'stime', 'cutime', 'cstime'], TICKS_PER_SECOND);

export const parentOf = (pid: number): number | null => statSum(pid, ['ppid'], 1);

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

/** Where proc(5) has them, counted after the program's name, which may hold blanks. */
const STAT_FIELDS = { ppid: 1, utime: 11, stime: 12, cutime: 13, cstime: 14 };

function statSum(pid: number, names: (keyof typeof STAT_FIELDS)[], unit: number): number | null {
  const stat = proc(pid, 'stat');
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return names.reduce((sum, name) => sum + Number(fields[STAT_FIELDS[name]]), 0) / unit;
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
