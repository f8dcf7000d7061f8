/** Names are unique over a graph and all its bodies, since bodies see the values around them. */
export class Names {
  private readonly counts = new Map<string, number>();
  fresh(stem: string): string {
    const count = (this.counts.get(stem) ?? 0) + 1;
    this.counts.set(stem, count);
    return `${stem}.${count}`;
  }
}
