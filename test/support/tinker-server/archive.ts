/** A PEFT folder as a service packs it: gzipped, its first member the folder `/` itself. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeSafetensors } from '../../../activities/engine/files/index';
import type { Adapter } from '../../../activities/engine/model/index';

export async function packedAdapter({ settings, tensors }: Adapter, namesNoLayers: boolean): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'stand-in-'));
  try {
    const file = join(folder, 'adapter_model.safetensors');
    await writeSafetensors(file, tensors);
    const config = {
      peft_type: 'LORA',
      r: settings.rank,
      lora_alpha: settings.alpha,
      target_modules: namesNoLayers ? null : settings.targetModules,
    };
    return gzipSync(
      Buffer.concat([
        member('/', null),
        member('./adapter_config.json', Buffer.from(JSON.stringify(config))),
        member('./adapter_model.safetensors', await readFile(file)),
        Buffer.alloc(1024),
      ]),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** One member of a tar; null is a folder. */
export function member(name: string, content: Buffer | null, kind = content ? '0' : '5'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${(content?.length ?? 0).toString(8).padStart(11, '0')}\0`, 124);
  header.write(kind, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padded = Buffer.alloc(Math.ceil((content?.length ?? 0) / 512) * 512);
  content?.copy(padded);
  return Buffer.concat([header, padded]);
}
