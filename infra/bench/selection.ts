/** Which rows a command line means. */
import { UserError } from '../user-error.js';
import { ROWS, type Row } from './rows.js';

export interface Selection {
  /** Ids of rows; all that can be run when absent. */
  rows?: string[] | undefined;
  smollm2?: string | undefined;
  long?: boolean | undefined;
}

const NEEDS: Record<NonNullable<Row['needs']>, { flag: string; given: (selection: Selection) => boolean }> = {
  smollm2: { flag: '--smollm2 DIR', given: ({ smollm2 }) => smollm2 !== undefined },
  long: { flag: '--long', given: ({ long }) => long === true },
};

/**
 * The rows to run, in the table's order, and those left out for want of a flag. A row whose bar refers to another one
 * brings that with it.
 * @throws UserError for rows that do not exist, or were asked for without the flag they need
 */
export function selectRows(selection: Selection): { rows: Row[]; leftOut: { id: string; flag: string }[] } {
  const asked = selection.rows && new Set(selection.rows);
  for (const id of asked ?? []) {
    const row = ROWS.find(r => r.id === id);
    if (!row)
      throw new UserError(`--rows ${id}: there is no such row; expected some of ${ROWS.map(r => r.id).join(', ')}.`);
    if (row.needs && !NEEDS[row.needs].given(selection))
      throw new UserError(`--rows ${id}: this row needs ${NEEDS[row.needs].flag}.`);
    if (row.growth) asked!.add(row.growth.of);
  }
  const wanted = ROWS.filter(({ id }) => !asked || asked.has(id));
  const missing = ({ needs }: Row) => (needs && !NEEDS[needs].given(selection) ? NEEDS[needs].flag : null);
  return {
    rows: wanted.filter(row => missing(row) === null),
    leftOut: wanted.flatMap(row => {
      const flag = missing(row);
      return flag === null ? [] : [{ id: row.id, flag }];
    }),
  };
}
