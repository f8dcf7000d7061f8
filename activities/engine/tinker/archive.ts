/**
 * Tar archives as services pack checkpoints, gzipped or not: read strictly, and only for the files that are wanted, which
 * are given as bytes and never written under a name that the archive chose (POSIX ustar; pax's extended headers say nothing
 * that is needed here).
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { EngineRequestError } from '../protocol/index.js';

const BLOCK = 512;
const LARGEST = 2 ** 32;
const GZIP = 0x1f8b;
/** By ustar's letters. A service has no reason to pack links or devices. */
const KINDS: Record<string, 'file' | 'skipped'> = {
  '0': 'file',
  '\0': 'file',
  '5': 'skipped',
  x: 'skipped',
  g: 'skipped',
};

/**
 * @param wanted names without folders; the archive's own may lie below `./` or `/`
 * @throws EngineRequestError for what is no such archive, or holds a wanted file twice
 */
export async function filesOf(archive: Buffer, wanted: readonly string[], what: string): Promise<Map<string, Buffer>> {
  const refuse = (why: string): never => {
    throw new EngineRequestError(`${what}: ${why}; expected a tar archive of a PEFT folder`, 'bad-model');
  };
  const tar = await unpacked(archive).catch((error: Error) => refuse(`cannot be unpacked: ${error.message}`));
  const files = new Map<string, Buffer>();
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (!isSound(header)) refuse(`the header at byte ${at} is damaged`);
    const [name, kind, size] = [text(header, 0, 100), KINDS[text(header, 156, 157) || '\0'], octal(header, 124, 136)];
    if (!kind) refuse(`'${name}' is a link or a device`);
    if (at + BLOCK + size > tar.length) refuse(`ends within '${name}'`);
    const plain = name.replace(/^(?:\.?\/)*/, '');
    if (kind === 'file' && wanted.includes(plain)) {
      if (files.has(plain)) refuse(`holds '${plain}' twice`);
      files.set(plain, tar.subarray(at + BLOCK, at + BLOCK + size));
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  for (const name of wanted) if (!files.has(name)) refuse(`holds no ${name}`);
  return files;
}

async function unpacked(archive: Buffer): Promise<Buffer> {
  if (archive.length < 2 || archive.readUInt16BE(0) !== GZIP) return archive;
  return promisify(gunzip)(archive, { maxOutputLength: LARGEST });
}

const text = (header: Buffer, from: number, to: number): string =>
  header.toString('latin1', from, to).replace(/\0.*$/s, '');

function octal(header: Buffer, from: number, to: number): number {
  const digits = text(header, from, to).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** By its checksum: the sum of its bytes, those of the sum itself counted as blanks. */
function isSound(header: Buffer): boolean {
  let total = 0;
  for (const [i, byte] of header.entries()) total += i >= 148 && i < 156 ? 32 : byte;
  return octal(header, 148, 156) === total && !Number.isNaN(octal(header, 124, 136));
}
