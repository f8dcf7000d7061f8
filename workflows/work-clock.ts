/** A clock that stands still while a run is paused or waits for a person: the difference of two readings is time at work. */
export class WorkClock {
  /** Milliseconds for which it has stood still. */
  private stood = 0;
  private standsSince: number | null = null;

  /** Milliseconds, from no particular beginning. */
  read(): number {
    return (this.standsSince ?? Date.now()) - this.stood;
  }

  stand(still: boolean): void {
    if (still === (this.standsSince !== null)) return;
    if (!still) this.stood += Date.now() - this.standsSince!;
    this.standsSince = still ? Date.now() : null;
  }
}
