/**
 * The records of a file that is one JSON object: a list in one of its fields, columns by name, records by key, or one record
 * alone. pandas, polars and `datasets` each write some of these (pandas' `orient`). Keys that are small whole numbers come
 * first and in their order, as everywhere in JavaScript.
 */
import { withoutNulls } from './json-text.js';
import { DataError, type RawRecord, rowsOf } from './records.js';

type Fields = Record<string, unknown>;
type Shape = (value: Fields, place: Place) => RawRecord[] | null;

interface Place {
  file: string;
  /** Where the object itself stands. */
  where: string;
  /** What a record of this kind has, among others. */
  fields: readonly string[];
}

/** @throws DataError where it has several lists of records */
export function recordsOfObject(value: unknown, place: Place): RawRecord[] {
  if (!isObject(value)) return [{ where: place.where, index: 0, value }];
  for (const shape of SHAPES) {
    const found = shape(value, place);
    if (found) return found;
  }
  return [{ where: place.where, index: 0, value }];
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const known = (value: Fields, { fields }: Place): boolean => fields.some(name => name in value);

const listed = (values: readonly unknown[], file: string, named: (k: number) => string): RawRecord[] =>
  values.map((value, index) => ({ where: `${file}: ${named(index)}`, index, value }));

/** {"question": ["…", …], "answer": ["…", …]}: polars, and `datasets`' to_dict. */
const columnsOfLists: Shape = (value, place) => {
  const rows = known(value, place) ? rowsOf(value) : value;
  return Array.isArray(rows) ? listed(rows.map(withoutNulls), place.file, k => `record ${k}`) : null;
};

/** {"question": {"0": "…", …}, "answer": {"0": "…", …}}: pandas, if not told otherwise. Nulls are not there. */
const columnsByLabel: Shape = (value, place) => {
  const columns = Object.entries(value) as [string, Fields][];
  if (!known(value, place) || !columns.every(([, column]) => isObject(column))) return null;
  const labels = [...new Set(columns.flatMap(([, column]) => Object.keys(column)))];
  // A record of structs has fields of its own in each.
  const counted = labels.every(label => /^\d+$/.test(label));
  if (!counted && columns.some(([, column]) => Object.keys(column).length !== labels.length)) return null;
  const rows = labels.map(label =>
    Object.fromEntries(columns.flatMap(([name, column]) => (label in column ? [[name, column[label]]] : []))),
  );
  return labelled(labels, rows, place.file);
};

/** {"columns": ["question", …], "index": [0, …], "data": [["…", …], …]}: pandas' orient="split". */
const split: Shape = ({ columns, index, data }, { file }) => {
  if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray)) return null;
  const rows = (data as unknown[][]).map(cells =>
    withoutNulls(Object.fromEntries(columns.map((name, k) => [String(name), cells[k] ?? null]))),
  );
  const labels = Array.isArray(index) && index.length === rows.length ? index.map(String) : rows.map((_, k) => `${k}`);
  return labelled(labels, rows, file);
};

/** Rows with their labels as ids, unless they have ids or the labels only count them. */
function labelled(labels: readonly string[], rows: readonly unknown[], file: string): RawRecord[] {
  const counted = labels.every((label, k) => label === String(k));
  return listed(
    rows.map((row, k) => (counted || !isObject(row) || 'id' in row || '_id' in row ? row : { id: labels[k], ...row })),
    file,
    k => `record ${k} (${JSON.stringify(labels[k])})`,
  );
}

const single: Shape = (value, place) => (known(value, place) ? [{ where: place.where, index: 0, value }] : null);

/** {"7": {"question": "…"}, "8": {…}}: records by id, as Qasper's papers and pandas' orient="index". */
const byKey: Shape = (value, place) => {
  const members = Object.entries(value);
  if (!members.some(([, member]) => isObject(member) && known(member, place))) return null;
  return labelled(
    members.map(([key]) => key),
    members.map(([, member]) => member),
    place.file,
  );
};

/** {"version": …, "data": [{…}, …]}: the one list of records, whatever it is called. */
const listInside: Shape = (value, place) => {
  const lists = Object.entries(value).filter(([, member]) => Array.isArray(member) && member.some(isObject));
  const [list] = value.data !== undefined ? lists.filter(([name]) => name === 'data') : lists;
  if (!list) return null;
  if (lists.length > 1 && list[0] !== 'data') {
    const names = lists.map(([name]) => name).join(', ');
    throw new DataError(`${place.where}: expected one list of records, found ${names}: give each a file of its own`);
  }
  return listed(list[1] as unknown[], place.file, k => `record ${k} of ${JSON.stringify(list[0])}`);
};

/** The first that fits. */
const SHAPES: Shape[] = [columnsOfLists, columnsByLabel, split, single, byKey, listInside];
