/** Removes native libraries of systems and processors other than the image's: `node prune.js amd64|arm64|x64`. */
const { existsSync, readdirSync, rmSync } = require('node:fs');
const { join } = require('node:path');

const arch = { amd64: 'x64', x64: 'x64', arm64: 'arm64' }[process.argv[2]];
if (!arch) throw new Error(`expected amd64 or arm64, found ${process.argv[2]}`);

const keepOnly = (folder, wanted) => {
  if (!existsSync(folder)) throw new Error(`${folder}: expected the libraries of each system there`);
  const names = readdirSync(folder);
  const kept = names.filter(wanted);
  if (kept.length === 0) throw new Error(`${folder}: none of ${names.join(', ')} is for linux on ${arch}`);
  for (const name of names) if (!kept.includes(name)) rmSync(join(folder, name), { recursive: true });
};

const modules = join(__dirname, '../../node_modules');
const onnxruntime = join(modules, 'onnxruntime-node', 'bin');
for (const api of readdirSync(onnxruntime)) {
  keepOnly(join(onnxruntime, api), name => name === 'linux');
  keepOnly(join(onnxruntime, api, 'linux'), name => name === arch);
}
const temporal = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' }[arch];
keepOnly(join(modules, '@temporalio', 'core-bridge', 'releases'), name => name === temporal);
