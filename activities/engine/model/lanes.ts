/**
 * Which blocks of a stream attention goes through together. A group of blocks, a lane each, takes its visits in turns: one
 * turn is one visit of every lane, by operators that are started once for all of them. Small tiles take little longer than
 * that starting, so short sequences would cost most of it.
 *
 * A lane's visits keep their order whatever is beside it. Of the sums only the gradients of queries go by the grouping: they
 * are summed group by group.
 */

/** The forward pass goes by blocks of queries, the backward pass by blocks of keys. */
export type Side = 'query' | 'key';

/** A tile of which something is seen: a block of queries and one of keys. */
export interface Visit {
  query: number;
  key: number;
  whole: boolean;
}

export interface Lane {
  block: number;
  /** Those of tiles seen whole first. */
  visits: readonly Visit[];
  /** Only there for the others' company: a copy of the group's first. */
  filler: boolean;
}

export interface Group {
  lanes: readonly Lane[];
  /** The first turns, in which each lane's tile is seen whole. */
  whole: number;
  /** Of all visits: as many as the longest lane has. */
  turns: number;
}

/** What decides the grouping, and with it the order of sums over keys in gradients of queries; measured. */
export const LANES = {
  /** Lanes of a group: more take no less time. */
  widths: [1, 2, 4, 8],
  /** Elements of the tiles of one turn: as many as the largest tile has, so that lanes take no more memory than that. */
  elements: 512 ** 2,
  /** Elements that take as long as starting the operators of a turn. */
  starting: 8192,
};

export const workOf = (groups: readonly Group[], tile: number): number =>
  groups.reduce((sum, { lanes, turns }) => sum + turns * (LANES.starting + lanes.length * tile ** 2), 0);

/** The blocks of one side in groups of one width, the one that takes the least work. */
export function groupBlocks(side: Side, visits: readonly Visit[], blocks: number, tile: number): Group[] {
  const rows = Array.from({ length: blocks }, (_, block) => ({ block, visits: [] as Visit[], filler: false }));
  for (const visit of visits) rows[visit[side]]!.visits.push(visit);
  for (const row of rows) row.visits.sort((a, b) => Number(b.whole) - Number(a.whole));
  // The longest first: what a group's first lane takes, the others need not exceed.
  const sorted = rows.sort((a, b) => b.visits.length - a.visits.length || a.block - b.block);
  const widths = LANES.widths.filter(width => width === 1 || width * tile ** 2 <= LANES.elements);
  const choices = widths.map(width => grouped(side, sorted, width));
  return choices.reduce((best, choice) => (workOf(choice, tile) < workOf(best, tile) ? choice : best));
}

/** Each lane goes into the first group that has room for it. */
function grouped(side: Side, rows: readonly Lane[], width: number): Group[] {
  const open: { lanes: Lane[]; visited: Set<number> }[] = [];
  const full: Lane[][] = [];
  for (const row of rows) {
    // A group's gradients of queries are added at once, so no two of its lanes may have the same one.
    const fits = ({ visited }: { visited: Set<number> }): boolean =>
      side === 'query' || !row.visits.some(({ query }) => visited.has(query));
    let group = open.find(fits);
    if (!group) {
      group = { lanes: [], visited: new Set() };
      open.push(group);
    }
    group.lanes.push(row);
    for (const { query } of row.visits) group.visited.add(query);
    if (group.lanes.length === width) {
      full.push(group.lanes);
      open.splice(open.indexOf(group), 1);
    }
  }
  return [...full, ...open.map(({ lanes }) => lanes)].map(lanes => ({
    lanes: [...lanes, ...new Array<Lane>(width - lanes.length).fill({ ...lanes[0]!, filler: true })],
    whole: lanes.reduce((least, { visits }) => Math.min(least, visits.filter(v => v.whole).length), Infinity),
    turns: lanes[0]!.visits.length,
  }));
}
