/**
 * Renders chat templates where they can do no harm: they are programs that came with a model. A thread of its own has so
 * much memory and so much time; one that needs more is ended, and the next rendering has another.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';

export interface TemplateLimits {
  seconds: number;
  /** Of the thread's heap. */
  megabytes: number;
}

/** A chat is rendered in milliseconds; this is for machines that have other work. */
const LIMITS: TemplateLimits = { seconds: 10, megabytes: 256 };
const START_SECONDS = 60;

/** Python's strftime of an ISO date at midnight, in English whatever the machine speaks. */
const STRFTIME = `
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const two = number => String(number).padStart(2, '0');
const strftime = (date, format) => {
  const day = new Date(date + 'T00:00:00Z');
  const [year, month, number, weekday] = [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), day.getUTCDay()];
  const ofYear = Math.round((day - Date.UTC(year, 0, 1)) / 86_400_000) + 1;
  const parts = {
    Y: String(year).padStart(4, '0'), y: two(year % 100), m: two(month + 1), B: MONTHS[month], b: MONTHS[month].slice(0, 3),
    d: two(number), e: String(number).padStart(2), A: DAYS[weekday], a: DAYS[weekday].slice(0, 3),
    j: String(ofYear).padStart(3, '0'), F: date, H: '00', M: '00', S: '00', I: '12', p: 'AM', '%': '%',
    '-d': String(number), '-m': String(month + 1),
  };
  return format.replace(/%(-?[A-Za-z%])/g, (_, part) => {
    if (!Object.hasOwn(parts, part)) throw new Error('strftime_now does not know %' + part);
    return parts[part];
  });
};
`;

/** Plain JavaScript, since a thread begins outside of whatever compiles or transforms the rest. */
const THREAD = `
const { workerData: { library, port, bell } } = require('node:worker_threads');
const { Template } = require(library);
const templates = new Map();
const answer = reply => {
  port.postMessage(reply);
  Atomics.store(bell, 0, 1);
  Atomics.notify(bell, 0);
};
${STRFTIME}
// The library's own function tells the time: each template begins by putting ours, if any, in its place.
const parsed = source => {
  const template = new Template(source);
  template.parsed.body.unshift(...new Template('{% set strftime_now = given_strftime_now %}').parsed.body);
  return template;
};
port.on('message', ({ source, values, date }) => {
  try {
    if (!templates.has(source)) templates.set(source, parsed(source));
    const given = date === null ? {} : { given_strftime_now: format => strftime(date, format) };
    answer({ text: values === null ? '' : templates.get(source).render({ ...values, ...given }) });
  } catch (error) {
    answer({ problem: error instanceof Error ? error.message : String(error) });
  }
});
answer({ text: '' });
`;

type Reply = { text: string } | { problem: string };

export class TemplateThread {
  private running: { worker: Worker; port: MessagePort; bell: Int32Array } | null = null;

  /** @param library the module that has the class Template */
  constructor(
    private readonly limits = LIMITS,
    private readonly library = require.resolve('@huggingface/jinja'),
  ) {}

  /**
   * @param values what the template may use by name; null to have it parsed alone
   * @param date what strftime_now tells (ISO); null: there is no such function
   * @throws Error with what the template says against them, or that it takes too much
   */
  render(source: string, values: Record<string, unknown> | null, date: string | null = null): string {
    const { port } = this.start();
    port.postMessage({ source, values, date });
    const reply = this.wait(this.limits.seconds);
    if ('problem' in reply) throw new Error(reply.problem);
    return reply.text;
  }

  private start() {
    if (this.running) return this.running;
    const { port1, port2 } = new MessageChannel();
    const bell = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { library: this.library, port: port2, bell };
    const worker = new Worker(THREAD, {
      eval: true,
      workerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: this.limits.megabytes },
      env: {},
    });
    // Its end is noticed by its silence.
    worker.on('error', () => {});
    worker.unref();
    port1.unref();
    this.running = { worker, port: port1, bell };
    this.wait(START_SECONDS);
    return this.running;
  }

  /** Stands still until the thread has answered, as if it were computed here. */
  private wait(seconds: number): Reply {
    const { worker, port, bell } = this.running!;
    Atomics.wait(bell, 0, 0, 1000 * seconds);
    const received = receiveMessageOnPort(port);
    if (received) {
      Atomics.store(bell, 0, 0);
      return received.message as Reply;
    }
    this.running = null;
    port.close();
    void worker.terminate();
    return { problem: `it does not come to an end within ${seconds} s and ${this.limits.megabytes} MB` };
  }
}
