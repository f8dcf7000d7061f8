/** What one activity publishes while it works on: in its order, so that whatever is there has all before it there too. */
export class Publications {
  #last: Promise<unknown> = Promise.resolve();

  /** After one that failed, nothing more is published: the rest fail as it did. */
  add<T>(publish: () => Promise<T>): Promise<T> {
    const published = this.#last.then(publish);
    this.#last = published;
    // Whoever wants what was published hears of it, perhaps later than it fails.
    published.catch(() => {});
    return published;
  }

  /** Until nothing more is being published, whether or not it could be. */
  async over(): Promise<void> {
    await this.#last.catch(() => {});
  }
}
