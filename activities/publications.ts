/**
 * What one activity publishes while it works on: in its order, so that whatever is there has all before it there too. It is
 * read as if it were there already, from the very text that is being published.
 */
import { type ArtifactRef, type Fence, refOf, type Store, type TextReader } from './store/index.js';

export class Publications implements TextReader {
  readonly #store: Store;
  readonly #check: () => void;
  readonly #pending = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(store: Store, check: () => void) {
    this.#store = store;
    this.#check = check;
  }

  /**
   * Runs work that publishes. When it ends, however it does, nothing more is being published.
   * @param check throws when nothing more is to be published
   */
  static async during<T>(
    store: Store,
    check: () => void,
    work: (publications: Publications) => Promise<T>,
  ): Promise<T> {
    const publications = new Publications(store, check);
    try {
      return await work(publications);
    } finally {
      await publications.done().catch(() => {});
    }
  }

  /**
   * As the store's publishText, of which `done` tells the failure. After one that failed, nothing more is published.
   * @returns the reference that it will have
   */
  add(uri: string, text: string, fence?: Fence): ArtifactRef {
    const ref = refOf(uri, text);
    this.#pending.set(uri, text);
    this.#last = this.#last.then(async () => {
      this.#check();
      await this.#store.publishText(uri, text, fence);
      this.#pending.delete(uri);
    });
    this.#last.catch(() => {});
    return ref;
  }

  async readText(ref: ArtifactRef): Promise<string> {
    return this.#pending.get(ref.uri) ?? this.#store.readText(ref);
  }

  /** When all is published. Throws what kept the first from it that could not be. */
  async done(): Promise<void> {
    await this.#last;
  }
}
