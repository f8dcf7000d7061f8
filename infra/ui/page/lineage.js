/** Where policies come from, as a picture: stages from left to right, attempts of one below each other. */
import { h, number, runAddress, svg } from './dom.js';

const BOX = { width: 168, height: 62, across: 22, down: 24, edge: 8 };

/** @param nodes attempts of stages, in order */
export function lineageGraph({ run, base, branch, nodes }) {
  const stages = [...new Set(nodes.map(({ stage }) => stage))];
  const places = new Map(
    nodes.map(node => [
      node,
      { column: 1 + stages.indexOf(node.stage), row: nodes.filter(one => one.stage === node.stage).indexOf(node) },
    ]),
  );
  const rows = Math.max(1, ...[...places.values()].map(({ row }) => row + 1));
  const [stepX, stepY] = [BOX.width + BOX.across, BOX.height + BOX.down];
  const size = {
    width: (stages.length + 1) * stepX - BOX.across + 2 * BOX.edge,
    height: rows * stepY - BOX.down + 2 * BOX.edge,
  };
  const at = ({ column, row }) => ({ x: BOX.edge + column * stepX, y: BOX.edge + row * stepY });
  const start = branch
    ? { title: `${branch.of}, before ${branch.first}`, policy: branch.policy, href: runAddress(branch.of, 'proof') }
    : { title: 'base', policy: base.name, href: null };
  const makerOf = policy =>
    nodes.find(one => one.to === policy && one.isCurrent) ?? nodes.find(one => one.to === policy);
  const edges = nodes.map(node => {
    const maker = node.from === start.policy ? null : makerOf(node.from);
    return edge(at(maker ? places.get(maker) : { column: 0, row: 0 }), at(places.get(node)), node.isCurrent);
  });
  return h(
    'div.wide',
    {},
    svg(
      'svg.lineage',
      {
        viewBox: `0 0 ${size.width} ${size.height}`,
        width: size.width,
        height: size.height,
        role: 'img',
        'aria-label': `Lineage: ${[start.title, ...stages].join(', ')}`,
      },
      edges,
      box(at({ column: 0, row: 0 }), {
        title: start.title,
        lines: [start.policy.slice(0, 12)],
        href: start.href,
        isCurrent: true,
      }),
      nodes.map(node =>
        box(at(places.get(node)), {
          title: node.attempt > 1 || !node.isCurrent ? `${node.stage}, attempt ${node.attempt}` : node.stage,
          lines: [`${number(node.steps)} steps → ${node.to.slice(0, 12)}`, `sha256 ${node.sha256.slice(0, 10)}…`],
          href: runAddress(run, node.stage, node.attempt, node.steps),
          isCurrent: node.isCurrent,
          hint: [
            `policy ${node.to}`,
            `weights sha256 ${node.sha256}`,
            node.hasSnapshot ? 'snapshot in the store' : 'made again from the log when needed',
            node.code ?? 'code not recorded',
            JSON.stringify(node.settings),
          ].join('\n'),
        }),
      ),
    ),
  );
}

function edge(from, to, isCurrent) {
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return svg(`path.edge${isCurrent ? '' : '.given-up'}`, {
    d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
  });
}

function box({ x, y }, { title, lines, href, isCurrent, hint }) {
  const content = svg(
    `g.node${isCurrent ? '' : '.given-up'}`,
    {},
    hint && svg('title', {}, hint),
    svg('rect', { x, y, width: BOX.width, height: BOX.height, rx: 7 }),
    svg('text.name', { x: x + 10, y: y + 21 }, title),
    lines.map((line, k) => svg('text.line', { x: x + 10, y: y + 38 + 15 * k }, line)),
  );
  return href ? svg('a', { href }, content) : content;
}
