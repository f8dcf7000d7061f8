/**
 * What of a Parquet file is checked before it is decoded (parquet.apache.org/docs/file-format): lengths and counts of the
 * footer, of each page, and of each run within a page, so that time and memory are in proportion to the file.
 */
import type {
  AsyncBuffer,
  ColumnMetaData,
  Compressors,
  FileMetaData,
  PageHeader,
  RowGroup,
  SchemaTree,
} from 'hyparquet';
import { checkDeltas } from './parquet-deltas.js';
import { expect, Refusal, Runs } from './parquet-runs.js';

const MAX_FOOTER_BYTES = 2 ** 26;
const MAX_HEADER_BYTES = 2 ** 16;
const MAX_PAGE_BYTES = 2 ** 29;
const MAX_CHUNK_BYTES = 2 ** 31 - 1;
/** Of a column in a row group: what it decodes to is held in memory. */
const MAX_VALUES = 2 ** 25;
/** Bytes in a row with the eighth bit set, of which long numbers are made: in texts of other alphabets there may be some thousands. */
const MAX_CONTINUED = 2 ** 13;
const MAGIC = 'PAR1';

/** Reads the footer. Throws where it is not one, or what it says cannot be. */
export async function checkedFooter(file: AsyncBuffer, maxContinued = MAX_CONTINUED): Promise<FileMetaData> {
  const { parquetMetadata } = await import('hyparquet');
  expect(file.byteLength >= 12, `it has only ${file.byteLength} bytes`);
  const text = async (start: number, end: number) => Buffer.from(await file.slice(start, end)).toString('latin1');
  expect((await text(0, 4)) === MAGIC, `it does not begin with ${MAGIC}`);
  const end = file.byteLength - 4;
  expect((await text(end, file.byteLength)) === MAGIC, `it does not end in ${MAGIC}: it is cut short`);
  const length = new DataView(await file.slice(end - 4, end)).getUint32(0, true);
  expect(length <= Math.min(end - 8, MAX_FOOTER_BYTES), `its footer says that it has ${length} bytes`);
  const footer = await file.slice(end - 4 - length, file.byteLength);
  refuseLongNumbers(new Uint8Array(footer), maxContinued);
  const metadata = parquetMetadata(footer, { geoparquet: false });
  const parts = metadata.schema.map(({ num_children: count = 0 }) => count);
  expect(
    parts.every(count => count >= 0 && count < parts.length),
    'its schema has columns of a false number of parts',
  );
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  expect(rows === Number(metadata.num_rows), `its row groups have ${rows} rows, its footer ${metadata.num_rows}`);
  return metadata;
}

/** Throws where a row group cannot be decoded within bounds. */
export async function checkRowGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  compressors: Compressors,
): Promise<void> {
  const { parquetSchema } = await import('hyparquet');
  const schema = await import('hyparquet/src/schema.js');
  const tree = parquetSchema(metadata);
  const rows = Number(group.num_rows);
  expect(rows >= 0 && rows <= MAX_VALUES, `a row group says that it has ${group.num_rows} rows`);
  const leaves = new Set(schema.getPhysicalColumns(tree));
  for (const { meta_data: column } of group.columns) {
    if (!column) throw new Refusal('a column without its description');
    const name = column.path_in_schema.join('.');
    expect(leaves.delete(name), `column ${name} is there twice, or not in the schema`);
    const path = schema.getTreePath(tree, column.path_in_schema);
    const values = Number(column.num_values);
    const flat = schema.getMaxRepetitionLevel(path) === 0;
    expect(
      values <= MAX_VALUES && (flat ? values === rows : values >= rows),
      `column ${name} says that it has ${column.num_values} values in ${rows} rows`,
    );
    try {
      await checkColumn(file, column, path, compressors);
    } catch (error) {
      throw new Refusal(`column ${name}: ${(error as Error).message}`);
    }
  }
  expect(leaves.size === 0, `a row group lacks column ${[...leaves][0]}`);
}

/** Goes through a column's pages as the decoder will. */
async function checkColumn(
  file: AsyncBuffer,
  column: ColumnMetaData,
  path: SchemaTree[],
  compressors: Compressors,
): Promise<void> {
  const { parquetHeader } = await import('hyparquet/src/column.js');
  const { decompressPage } = await import('hyparquet/src/datapage.js');
  const { getMaxDefinitionLevel, getMaxRepetitionLevel } = await import('hyparquet/src/schema.js');
  const levels = { repetition: getMaxRepetitionLevel(path), definition: getMaxDefinitionLevel(path) };
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  const length = Number(column.total_compressed_size);
  expect(length >= 0 && length <= MAX_CHUNK_BYTES, `it says that it has ${length} bytes`);
  const bytes = await file.slice(start, start + length);
  let offset = 0;
  let values = 0;
  while (offset < bytes.byteLength - 1) {
    const reader = {
      view: new DataView(bytes, offset, Math.min(bytes.byteLength - offset, MAX_HEADER_BYTES)),
      offset: 0,
    };
    const header = parquetHeader(reader);
    offset += reader.offset;
    const { compressed_page_size: size, uncompressed_page_size: unpacked } = header;
    expect(size >= 0 && size <= bytes.byteLength - offset, `a page says that it has ${size} bytes`);
    expect(unpacked >= 0 && unpacked <= MAX_PAGE_BYTES, `a page says that it unpacks to ${unpacked} bytes`);
    const content = new Uint8Array(bytes, offset, size);
    offset += size;
    const unpack = (part: Uint8Array, to: number) => decompressPage(part, to, column.codec, compressors);
    values += checkPage(header, content, unpack, levels, path.at(-1)!.element.type);
    expect(values <= Number(column.num_values), `its pages have more values than ${column.num_values}`);
  }
  expect(values === Number(column.num_values), `its pages have ${values} values of ${column.num_values}`);
}

type Unpack = (bytes: Uint8Array, length: number) => Uint8Array;
type Levels = { repetition: number; definition: number };

/** @returns how many values it has, nulls among them. */
function checkPage(
  header: PageHeader,
  content: Uint8Array,
  unpack: Unpack,
  max: Levels,
  type: string | undefined,
): number {
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
  if (header.type === 'DICTIONARY_PAGE') {
    const count = dictionary?.num_values ?? -1;
    expect(count >= 0 && count <= MAX_VALUES, `a dictionary says that it has ${count} values`);
    return 0;
  }
  const page = header.type === 'DATA_PAGE' ? v1 : header.type === 'DATA_PAGE_V2' ? v2 : undefined;
  if (!page) throw new Refusal(`a page of a kind that is not known (${header.type})`);
  const count = page.num_values;
  expect(count >= 0 && count <= MAX_VALUES, `a page says that it has ${count} values`);
  let body: Runs;
  let nulls = 0;
  if (v1) {
    body = new Runs(unpack(content, header.uncompressed_page_size));
    const level = (most: number) => {
      if (most === 0) return count;
      const length = body.uint32();
      return body.part(length).count(widthOf(most), count, most);
    };
    level(max.repetition);
    nulls = count - level(max.definition);
  } else {
    const { definition_levels_byte_length: d, repetition_levels_byte_length: r } = v2!;
    expect(d >= 0 && r >= 0 && d + r <= content.length, 'a page whose levels are longer than itself');
    expect(header.uncompressed_page_size >= d + r, 'a page that unpacks to less than its levels');
    if (max.repetition > 0) new Runs(content.subarray(0, r)).count(widthOf(max.repetition), count, max.repetition);
    if (max.definition > 0) {
      nulls = count - new Runs(content.subarray(r, r + d)).count(widthOf(max.definition), count, max.definition);
    }
    expect(nulls === v2!.num_nulls, `a page with ${nulls} nulls that says ${v2!.num_nulls}`);
    const rest = content.subarray(r + d);
    body = new Runs(v2!.is_compressed === false ? rest : unpack(rest, header.uncompressed_page_size - d - r));
  }
  const present = count - nulls;
  const encoding = page.encoding ?? '';
  if (encoding === 'RLE' && (v2 || type === 'BOOLEAN')) {
    if (present > 0) body.part(body.uint32()).count(1, present);
  } else if (/DICTIONARY|^RLE$/.test(encoding)) {
    const width = body.atEnd ? 0 : body.byte();
    expect(width <= 32, `a page with indices of ${width} bits`);
    // Of one value alone: the decoder reads the runs of version 2 all the same.
    if (width > 0 || v2) body.count(width, present);
  } else if (encoding.startsWith('DELTA')) checkDeltas(body.rest(), encoding, present);
  return count;
}

const widthOf = (most: number): number => 32 - Math.clz32(most);

/** Numbers are written seven bits a byte, with the eighth set as long as there is more. */
function refuseLongNumbers(bytes: Uint8Array, maxContinued: number): void {
  let continued = 0;
  for (const byte of bytes) {
    continued = byte < 0x80 ? 0 : continued + 1;
    expect(continued <= maxContinued, `a number of more than ${maxContinued} bytes`);
  }
}
