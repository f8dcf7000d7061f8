/** Memory that is used again: new memory for each piece costs more, in pages and in garbage collected, than what is put there. */
export class Buffers {
  readonly #free: Buffer[] = [];

  /** @param bytes of each */
  constructor(readonly bytes: number) {}

  /** One that nobody else uses meanwhile, with whatever was in it. */
  async lend<T>(use: (buffer: Buffer) => Promise<T>): Promise<T> {
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bytes);
    try {
      return await use(buffer);
    } finally {
      this.#free.push(buffer);
    }
  }
}
