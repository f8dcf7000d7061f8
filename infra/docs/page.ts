/** A schema as a page to read: a table for each block of fields. */
import { defaultText, typeText } from './field-text.js';
import type { Described } from './json-schema.js';

export interface Page {
  title: string;
  /** What stands before the tables, in Markdown. */
  opening: string;
  /** The heading of the fields that are in no block. */
  top: string;
}

/** A block that is described once and used in several places. */
const SECTIONS = { trainingSource: 'Data sources', dataSource: 'Data sources', plainSource: 'Data sources' };

export function pageText(schema: Described, { title, opening, top }: Page): string {
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties ?? {});
  const sources = kindsIn(schema);
  const blocks = fields.filter(([, field]) => blockOf(field) !== undefined);
  const contents = [
    top,
    ...blocks.map(([name]) => `\`${name}\``),
    ...(sources.length > 0 ? [SECTIONS.dataSource] : []),
  ];
  return `${[
    `# ${title}`,
    '<!-- Made from the schema by `npm run docs`: change the texts there. -->',
    opening,
    contents.map(name => `[${name}](#${anchor(name)})`).join(' · '),
    `## ${top}`,
    table(fields.map(([name, field]) => fieldRow(name, field, required.has(name)))),
    ...blocks.flatMap(([name, field]) => [`## \`${name}\``, field.description ?? '', table(rowsOf(name, field))]),
    ...(sources.length > 0 ? sourcesText(sources) : []),
  ]
    .filter(part => part !== '')
    .join('\n\n')}\n`;
}

/** GitHub's name for a heading. */
const anchor = (heading: string): string => heading.replace(/`/g, '').toLowerCase().replace(/ /g, '-');
const section = (name: string): string => {
  const heading = SECTIONS[name as keyof typeof SECTIONS];
  return heading === undefined ? 'any value' : `[data source](#${anchor(heading)})`;
};

interface Row {
  field: string;
  type: string;
  otherwise: string;
  meaning: string;
  /** Kinds of data source that have it. */
  kinds?: string;
}

/** The object behind a field: itself, one that may be null, or the entries of a list. */
function blockOf(field: Described): Described | undefined {
  if (field.like) return undefined;
  if (field.properties) return field;
  if (field.anyOf) return field.anyOf.find(choice => choice.properties);
  return field.items?.properties ? field.items : undefined;
}

/** A block's fields, those of blocks within it behind it. */
function rowsOf(prefix: string, field: Described): Row[] {
  const block = blockOf(field)!;
  const place = block === field.items ? `${prefix}[].` : `${prefix}.`;
  return Object.entries(block.properties!).flatMap(([name, inner]) => [
    fieldRow(place + name, inner, block.required?.includes(name) ?? false),
    ...(blockOf(inner) ? rowsOf(place + name, inner) : []),
  ]);
}

function fieldRow(path: string, field: Described, required: boolean): Row {
  return {
    field: `<a id="${path}"></a>\`${path}\``,
    type: typeText(field, section),
    otherwise: defaultText(field, required),
    meaning: field.description ?? '',
  };
}

const HEADINGS: Record<keyof Row, string> = {
  field: 'field',
  type: 'type',
  otherwise: 'default',
  meaning: 'meaning',
  kinds: 'kinds',
};

function table(rows: Row[]): string {
  const columns = (Object.keys(HEADINGS) as (keyof Row)[]).filter(name => rows.some(row => row[name] !== undefined));
  const line = (cells: string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(columns.map(name => HEADINGS[name])),
    line(columns.map(() => '---')),
    ...rows.map(row => line(columns.map(name => row[name] ?? ''))),
  ].join('\n');
}

/** The kinds of source, as those have them that take the most fields. */
const kindsIn = ({ $defs }: Described): Described[] =>
  Object.keys(SECTIONS).flatMap(name => $defs?.[name] ?? [])[0]?.oneOf ?? [];

/** The kinds of source, then their fields: each once, with the kinds that have it. */
function sourcesText(kinds: readonly Described[]): string[] {
  const nameOf = (kind: Described): string => String(kind.properties!.type!.const);
  const fields = new Map<string, { row: Row; kinds: string[] }>();
  for (const kind of kinds) {
    const { type: _, ...own } = kind.properties!;
    for (const row of rowsOf('', { ...kind, properties: own })) {
      const named = { ...row, field: row.field.replaceAll('id=".', 'id="source.').replaceAll('`.', '`') };
      const key = JSON.stringify(named);
      const known = fields.get(key) ?? { row: named, kinds: [] };
      fields.set(key, { row: named, kinds: [...known.kinds, nameOf(kind)] });
    }
  }
  const files = kinds.filter(({ properties }) => properties!.path).map(nameOf);
  const GROUPS = { all: kinds.map(nameOf), 'all files': files };
  const kindsText = (names: string[]): string =>
    Object.entries(GROUPS).find(([, group]) => group.join() === names.join())?.[0] ?? names.join(', ');
  return [
    `## ${SECTIONS.dataSource}`,
    'A block with a `type`, which says how the data is written, and the fields that the kind has.',
    [
      '| `type` | what it is |\n| --- | --- |',
      ...kinds.map(kind => `| \`${nameOf(kind)}\` | ${kind.properties!.type!.description?.replaceAll('|', '\\|')} |`),
    ].join('\n'),
    table(uniquelyAnchored([...fields.values()].map(({ row, kinds }) => ({ ...row, kinds: kindsText(kinds) })))),
  ];
}

/** Two kinds may call different things the same: a link leads to the first. */
function uniquelyAnchored(rows: Row[]): Row[] {
  const known = new Set<string>();
  return rows.map(row => {
    const [mark = ''] = /^<a id="[^"]*"><\/a>/.exec(row.field) ?? [];
    const field = known.has(mark) ? row.field.slice(mark.length) : row.field;
    known.add(mark);
    return { ...row, field };
  });
}
