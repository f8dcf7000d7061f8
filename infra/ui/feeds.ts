/** Pages kept up to date: each is made anew while somebody looks at it, and sent when it has changed. */
import type { ServerResponse } from 'node:http';

/** Between two makings of a page at least; longer for one that takes long. */
const PAUSE_MS = 1500;
/** Of the time, the part that is spent on making one page at most. */
const SHARE = 5;
/** A line now and then, by which lost connections are noticed. */
const SIGN_OF_LIFE_MS = 15_000;
const MOST_WATCHERS = 200;

interface Feed {
  watchers: Set<ServerResponse>;
  sent: string;
  timer: NodeJS.Timeout | null;
}

export class Feeds {
  readonly #feeds = new Map<string, Feed>();

  /** @param make what a page shows, as JSON; what it throws is told by `problem` */
  constructor(
    private readonly make: (address: string) => Promise<string>,
    private readonly problem: (error: unknown) => string,
  ) {}

  get watchers(): number {
    return [...this.#feeds.values()].reduce((sum, { watchers }) => sum + watchers.size, 0);
  }

  /** Whether there is room for one more. */
  get isOpen(): boolean {
    return this.watchers < MOST_WATCHERS;
  }

  /** Sends events until the other side goes: `page` with what to show, `problem` with why it cannot be shown. */
  watch(address: string, response: ServerResponse): void {
    const feed = this.#feeds.get(address) ?? { watchers: new Set(), sent: '', timer: null };
    this.#feeds.set(address, feed);
    feed.watchers.add(response);
    if (feed.sent !== '') response.write(feed.sent);
    else response.write(':\n\n');
    const alive = setInterval(() => response.write(':\n\n'), SIGN_OF_LIFE_MS);
    response.on('close', () => {
      clearInterval(alive);
      feed.watchers.delete(response);
      if (feed.watchers.size > 0) return;
      if (feed.timer) clearTimeout(feed.timer);
      if (this.#feeds.get(address) === feed) this.#feeds.delete(address);
    });
    if (feed.watchers.size === 1) void this.#refresh(address, feed);
  }

  async #refresh(address: string, feed: Feed): Promise<void> {
    const started = performance.now();
    const event = await this.make(address).then(
      page => `event: page\ndata: ${page}\n\n`,
      error => `event: problem\ndata: ${this.problem(error)}\n\n`,
    );
    if (event !== feed.sent) for (const response of feed.watchers) response.write(event);
    feed.sent = event;
    if (feed.watchers.size === 0) return;
    const pause = Math.max(PAUSE_MS, (performance.now() - started) * (SHARE - 1));
    feed.timer = setTimeout(() => void this.#refresh(address, feed), pause);
  }
}
