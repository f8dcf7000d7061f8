/**
 * What one activity publishes while it works on: in its order, so that whatever is there has all before it there too. It is
 * read as if it were there already, from the very text that is being published; the newest of it afterwards too, since a
 * step reads its own rounds.
 */
import type { UpdateRecord } from '../artifacts/index.js';
import { type ArtifactRef, type Fence, refOf, type Store, type TextReader } from '../store/index.js';
import { logStep } from './redo-log.js';

/** Characters of texts that are kept when they have been published. */
const KEPT = 32 << 20;

export class Publications implements TextReader {
  readonly #store: Store;
  readonly #check: () => void;
  readonly #pending = new Map<string, string>();
  /** What was published, by its hash, the newest at the end. */
  readonly #published = new Map<string, string>();
  #kept = 0;
  #last: Promise<unknown> = Promise.resolve();
  #failure: { error: unknown } | null = null;

  private constructor(store: Store, check: () => void) {
    this.#store = store;
    this.#check = check;
  }

  /**
   * Runs work that publishes. When it has ended all is published; where it or a publication failed, nothing more will be.
   * @param check throws when nothing more is to be published
   */
  static async during<T>(
    store: Store,
    check: () => void,
    work: (publications: Publications) => Promise<T>,
  ): Promise<T> {
    const publications = new Publications(store, check);
    try {
      const result = await work(publications);
      await publications.done();
      return result;
    } finally {
      await publications.done().catch(() => {});
    }
  }

  /** As the store's publishText; its failure is that of `done`. */
  text(uri: string, text: string, fence?: Fence): ArtifactRef {
    const ref = refOf(uri, text);
    this.#pending.set(uri, text);
    this.#add(async () => {
      await this.#store.publishText(uri, text, fence);
      this.#pending.delete(uri);
      this.#keep(ref, text);
    });
    return ref;
  }

  step(record: UpdateRecord): void {
    this.#add(() => logStep(this.#store, record));
  }

  async readText(ref: ArtifactRef): Promise<string> {
    const text = this.#pending.get(ref.uri) ?? this.#published.get(ref.sha256);
    return text ?? this.#store.readText(ref);
  }

  /** When all so far is published. Throws what kept the first from it that could not be; after that nothing is. */
  async done(): Promise<void> {
    await this.#last;
  }

  /** Throws the same where it is known by now: before work that would then be in vain. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #keep({ sha256 }: ArtifactRef, text: string): void {
    if (this.#published.has(sha256)) return;
    this.#published.set(sha256, text);
    this.#kept += text.length;
    for (const [oldest, { length }] of this.#published) {
      if (this.#kept <= KEPT) return;
      this.#published.delete(oldest);
      this.#kept -= length;
    }
  }

  #add(publish: () => Promise<void>): void {
    this.#last = this.#last.then(() => {
      this.#check();
      return publish();
    });
    this.#last.catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }
}
