/**
 * The harness itself, in short: a real server, four workers, ten faults, among them the kinds that one run must survive
 * with a judge. The long form is `npm run chaos`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chaos } from '../../../infra/chaos/run.js';
import { CHECKOUT } from '../../../infra/checkout.js';
import { loadSpec } from '../../../infra/specs/spec-files.js';

jest.setTimeout(900_000);

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a run under ten faults ends with the bits of one in peace', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-chaos-'));
  try {
    const { spec } = await loadSpec(join(CHECKOUT, 'infra/chaos/small.yaml'), [], CHECKOUT);
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const [report] = await chaos({
      folder,
      spec,
      preset: 'small',
      faults: 10,
      seeds: [2],
      judge: true,
      store: 'folder',
      say,
    });
    expect(lines.join('\n')).toContain('HOLDS: 10 faults');
    expect(new Set(report!.faults.map(({ kind }) => kind)).size).toBe(10);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
