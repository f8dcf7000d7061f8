/**
 * The plan of attention as a graph's inputs: which tiles are visited, in which order.
 *
 * Shapes: N blocks of B tokens, W lanes.
 */
import type { Dim, Graph, Value } from '../graph/index.js';

/** One side's groups of blocks, a lane each, and the turns in which a group's lanes take their visits. */
export interface SideInputs {
  /** [groups, W]: the block of each lane. */
  lanes: Value;
  /** [N]: each block's place among the lanes of all groups. */
  places: Value;
  /** [groups]: its first turn, how many have tiles seen whole, and how many tiles with a mask follow. */
  start: Value;
  whole: Value;
  partial: Value;
  /** [turns, W]: the block visited, and its tile's mask, which is read in turns with masks only. */
  block: Value;
  mask: Value;
}

/** By key, gradients of queries are summed group by group. */
export interface KeySideInputs extends SideInputs {
  /** [turns, W]: the block that a visit adds to; N where it adds for nobody. */
  into: Value;
  /** [N]: the blocks, without that one more. */
  every: Value;
}

/** The plan as graph inputs, shared by all layers. */
export interface PlanInputs {
  byQuery: SideInputs;
  byKey: KeySideInputs;
  /** [masks, B queries, B keys]: 0 where seen, -Infinity where not. */
  masks: Value;
  /** The same as factors: 1 where seen, 0 where not. */
  seen: Value;
}

/** Names of the plan's feeds; plan.ts fills them. */
export function planInputs(g: Graph, tile: number, blocks: Dim): PlanInputs {
  const feed = (side: string, name: string, shape: readonly Dim[]): Value =>
    g.input(`by_${side}_${name}`, 'int64', shape);
  const inputs = (side: string): SideInputs => {
    const [groups, width, turns] = [`${side}_groups`, `${side}_lanes`, `${side}_turns`];
    return {
      lanes: feed(side, 'lanes', [groups, width]),
      places: feed(side, 'places', [blocks]),
      start: feed(side, 'start', [groups]),
      whole: feed(side, 'whole', [groups]),
      partial: feed(side, 'partial', [groups]),
      block: feed(side, 'block', [turns, width]),
      mask: feed(side, 'mask', [turns, width]),
    };
  };
  const masks = g.input('masks', 'float32', ['masks', tile, tile]);
  const seen = g.op('Cast', [g.op('Equal', [masks, g.scalar(0)])], { to: 1 });
  return {
    byQuery: inputs('query'),
    byKey: {
      ...inputs('key'),
      into: feed('key', 'into', ['key_turns', 'key_lanes']),
      every: feed('key', 'every', [blocks]),
    },
    masks,
    seen,
  };
}
