/** What was asked for of late, so that memory stays flat however much is looked at. */
export class Recent<V> {
  readonly #kept = new Map<string, V>();

  /** @param most values that are kept */
  constructor(private readonly most: number) {}

  get(key: string): V | undefined {
    const value = this.#kept.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: V): V {
    this.#kept.delete(key);
    this.#kept.set(key, value);
    if (this.#kept.size > this.most) this.#kept.delete(this.#kept.keys().next().value!);
    return value;
  }

  delete(key: string): void {
    this.#kept.delete(key);
  }

  /** The value, made where there is none. */
  of(key: string, make: () => V): V {
    return this.get(key) ?? this.set(key, make());
  }
}
