/** Of the records that were read: the fields whose values were no texts and are read as texts, and those that are not read. */

export interface FieldCounts {
  /** Records by the field that has numbers or truth values where texts belong. Absent for none. */
  readAsText?: Record<string, number>;
  /** Records by the field that is not one of the kind's, and is passed over. Absent for none. */
  passedOver?: Record<string, number>;
}

export class FieldAccount {
  private readonly texts = new Map<string, number>();
  private readonly others = new Map<string, number>();

  /** @param fields all that are read, and `texts` those of them that are texts, or lists of them */
  constructor(
    private readonly fields: readonly string[],
    private readonly asTexts: readonly string[],
  ) {}

  add(record: object): void {
    for (const [name, value] of Object.entries(record)) {
      if (value === null) continue;
      if (!this.fields.includes(name)) this.others.set(name, (this.others.get(name) ?? 0) + 1);
      else if (this.asTexts.includes(name) && [value].flat().some(one => one !== null && typeof one !== 'string'))
        this.texts.set(name, (this.texts.get(name) ?? 0) + 1);
    }
  }

  counts(): FieldCounts {
    return {
      ...(this.texts.size > 0 && { readAsText: Object.fromEntries(this.texts) }),
      ...(this.others.size > 0 && { passedOver: Object.fromEntries(this.others) }),
    };
  }

  remarks(): string[] {
    return fieldRemarks(this.counts());
  }
}

/** For people, a line each. */
export function fieldRemarks({ readAsText, passedOver }: FieldCounts): string[] {
  const listed = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${JSON.stringify(name)} in ${count} ${count === 1 ? 'record' : 'records'}`)
      .join(', ');
  return [
    ...(readAsText ? [`numbers and truth values read as texts: ${listed(readAsText)}`] : []),
    ...(passedOver ? [`fields passed over: ${listed(passedOver)}`] : []),
  ];
}
