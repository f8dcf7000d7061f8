/** Which rows a command line means. */
import { UserError } from '../user-error.js';
import { PEERS, type Peer, type PeerName } from './peers.js';
import { type Feature, hasFeature } from './processor.js';
import { type Need, ROWS, type Row } from './rows.js';
import type { Given } from './work.js';

export interface Selection extends Given {
  /** Ids of rows; all that can be run when absent. */
  rows?: string[] | undefined;
  long?: boolean | undefined;
  against?: string | undefined;
}

const NEEDS: Record<Need, { flag: string; given: (selection: Selection) => boolean }> = {
  against: { flag: '--against COMMIT', given: ({ against }) => against !== undefined },
  smollm2: { flag: '--smollm2 DIR', given: ({ smollm2 }) => smollm2 !== undefined },
  questions: { flag: '--questions DIR', given: ({ questions }) => questions !== undefined },
  long: { flag: '--long', given: ({ long }) => long === true },
};

/** The first flag that a row wants for; null where it has all. */
function missing({ needs = [] }: Row, selection: Selection): string | null {
  const first = needs.find(need => !NEEDS[need].given(selection));
  return first === undefined ? null : NEEDS[first].flag;
}

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
    const flag = missing(row, selection);
    if (flag !== null) throw new UserError(`--rows ${id}: this row needs ${flag}.`);
    if (row.growth) asked!.add(row.growth.of);
  }
  const wanted = ROWS.filter(({ id }) => !asked || asked.has(id));
  return {
    rows: wanted.filter(row => missing(row, selection) === null),
    leftOut: wanted.flatMap(row => {
      const flag = missing(row, selection);
      return flag === null ? [] : [{ id: row.id, flag }];
    }),
  };
}

/** The rows with those peers alone that this processor can run; and who is left out, with what is lacking. */
export function peersHere(
  rows: readonly Row[],
  has: (feature: Feature) => boolean = hasFeature,
): { rows: Row[]; leftOut: { peer: PeerName; feature: Feature }[] } {
  const lacking = (name: PeerName) => {
    const { needs }: Peer = PEERS[name];
    return needs !== undefined && !has(needs) ? needs : null;
  };
  const names = new Set(rows.flatMap(({ peers }) => peers.map(({ peer }) => peer)));
  return {
    rows: rows.map(row => ({ ...row, peers: row.peers.filter(({ peer }) => lacking(peer) === null) })),
    leftOut: [...names].flatMap(peer => {
      const feature = lacking(peer);
      return feature === null ? [] : [{ peer, feature }];
    }),
  };
}
