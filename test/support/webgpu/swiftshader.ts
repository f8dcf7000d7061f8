/** A Vulkan driver that needs no GPU: SwiftShader, with a loader, from the npm package of a Chromium for servers. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder } from '../../../infra/local/temporal-binary';

/** The package has it for this kind of machine alone. */
export const SWIFTSHADER_RUNS = process.platform === 'linux' && process.arch === 'x64';

/** What the package is called, and how it is checked. */
const DRIVER = join(__dirname, 'driver');
const NAME = '@sparticuz/chromium';
/** Where the loader finds the driver. */
const MANIFEST = 'vk_swiftshader_icd.json';

/**
 * What a process must be started with to find it: the system reads the path of libraries once. The driver is fetched once
 * a machine.
 */
export function swiftshader(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(DRIVER, 'package.json'), 'utf8'));
  const folder = join(cacheFolder(), `swiftshader-${dependencies[NAME]}`);
  if (!existsSync(folder)) fetch(folder);
  return { VK_DRIVER_FILES: join(folder, MANIFEST), LD_LIBRARY_PATH: folder };
}

function fetch(folder: string): void {
  mkdirSync(cacheFolder(), { recursive: true });
  // A name of its own until it is whole: two checkouts may fetch at once.
  const fresh = mkdtempSync(`${folder}.`);
  try {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(DRIVER, file), join(fresh, file));
    execute('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], fresh);
    const unpacked = join(fresh, 'driver');
    mkdirSync(unpacked);
    const archive = readFileSync(join(fresh, 'node_modules', NAME, 'bin', 'swiftshader.tar.br'));
    execute('tar', ['--extract'], unpacked, brotliDecompressSync(archive));
    if (!existsSync(join(unpacked, MANIFEST))) throw new Error(`${NAME}: no ${MANIFEST} in its swiftshader.tar.br`);
    if (!existsSync(folder)) renameSync(unpacked, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function execute(command: string, args: string[], cwd: string, input?: Buffer): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, ...(input && { input }) });
  if (status !== 0)
    throw new Error(`SwiftShader, for the tests of WebGPU, could not be had: ${command}: ${error?.message ?? stderr}`);
}
