#!/usr/bin/env node
/**
 * Makes a checkout ready to run: dependencies, build, Temporal. Each step first asks whether there is anything to do, so
 * that a second call takes a moment and says nothing. Plain JavaScript without dependencies: it runs before there are any.
 */

const fs = require('node:fs');
const path = require('node:path');
const { createHash } = require('node:crypto');
const { spawnSync } = require('node:child_process');
const { withLock } = require('./lock.js');

const ROOT = path.resolve(__dirname, '../..');
/** The rooms that are compiled; tests are run from their sources. */
const ROOMS = ['workflows', 'activities', 'workers', 'infra'];
const BUILD_SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

class SetupError extends Error {}

const STEPS = [
  { name: 'Dependencies', needed: dependenciesDiffer, run: installDependencies },
  { name: 'Build', needed: sourcesChanged, run: build },
  { name: 'The longhaul command', needed: commandMissing, run: linkCommand, quiet: true },
  { name: 'Temporal', needed: () => true, run: findTemporal, quiet: true },
];

async function main() {
  checkNode(process.versions.node, minimumNode());
  await withLock(path.join(ROOT, '.longhaul', 'setup.lock'), say, async () => {
    for (const step of STEPS) await perform(step);
  });
}

async function perform({ name, needed, run, quiet }) {
  const reason = needed(ROOT);
  if (!reason) return;
  if (!quiet) say(`${name}: ${reason}`);
  const started = Date.now();
  await run(ROOT);
  if (!quiet) say(`${name}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

// Node ---------------------------------------------------------------------------------------------------------------

function minimumNode() {
  return readJson(path.join(ROOT, 'package.json')).engines.node.replace('>=', '');
}

/** @throws SetupError when `version` is older than `minimum` ("20.3" means 20.3.0). */
function checkNode(version, minimum) {
  const [have, want] = [version, minimum].map(v => v.split('.').map(Number));
  const first = want.findIndex((part, i) => part !== have[i]);
  if (first >= 0 && have[first] < want[first]) {
    throw new SetupError(
      `Node ${version} is too old: longhaul needs ${minimum} or newer. Install one from https://nodejs.org and try again.`,
    );
  }
}

// Dependencies -------------------------------------------------------------------------------------------------------

/**
 * Why `npm ci` must run, or null. npm notes what it installed in node_modules/.package-lock.json; that is compared with
 * the project's own lock file, so an installation by hand counts too. Optional packages may be missing (other platforms').
 */
function dependenciesDiffer(root) {
  const installedFile = path.join(root, 'node_modules', '.package-lock.json');
  if (!fs.existsSync(installedFile)) return 'not installed yet; npm ci';
  const installed = readJson(installedFile).packages;
  const wanted = Object.entries(readJson(path.join(root, 'package-lock.json')).packages).filter(
    ([where]) => where !== '',
  );
  for (const [where, { version, optional }] of wanted) {
    if (installed[where] ? installed[where].version !== version : !optional) {
      return `${where.replace('node_modules/', '')} ${version} is wanted, ${installed[where]?.version ?? 'none'} installed; npm ci`;
    }
  }
  return null;
}

function installDependencies(root) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execute(
    npm,
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: root, shell: process.platform === 'win32' },
    [
      'npm could not install the dependencies (its message is above).',
      'Without internet access, point npm at a registry that can be reached: npm config set registry URL.',
    ],
  );
}

// Build --------------------------------------------------------------------------------------------------------------

const stampFile = root => path.join(root, 'dist', '.sources');

/** Why a build is needed, or null: dist/.sources holds the hash of what was built. */
function sourcesChanged(root) {
  const stamp = stampFile(root);
  if (!fs.existsSync(stamp)) return 'not built yet; tsc and the workflow bundle';
  return fs.readFileSync(stamp, 'utf8') === hashSources(root) ? null : 'sources changed; tsc and the workflow bundle';
}

/** SHA-256 over paths and contents of everything the build reads. */
function hashSources(root) {
  const hash = createHash('sha256');
  for (const file of [...BUILD_SETTINGS, ...ROOMS.flatMap(room => typescriptIn(root, room))]) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function typescriptIn(root, folder) {
  const full = path.join(root, folder);
  if (!fs.existsSync(full)) return [];
  return fs
    .readdirSync(full, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const inside = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return typescriptIn(root, inside);
      return entry.name.endsWith('.ts') ? [inside] : [];
    });
}

/** Compiles beside the old build and swaps at the end, so that dist/ is always one build, and holds no removed file. */
function build(root) {
  const hash = hashSources(root);
  const fresh = path.join(root, `dist.new-${process.pid}`);
  const old = path.join(root, `dist.old-${process.pid}`);
  const dist = path.join(root, 'dist');
  try {
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    execute(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], { cwd: root }, [
      'The sources do not compile (the compiler’s message is above).',
    ]);
    execute(process.execPath, [path.join(fresh, 'workers', 'bundle.js')], { cwd: root }, [
      'The workflows could not be bundled (the message is above).',
    ]);
    fs.writeFileSync(path.join(fresh, '.sources'), hash);
    if (fs.existsSync(dist)) fs.renameSync(dist, old);
    fs.renameSync(fresh, dist);
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
    fs.rmSync(old, { recursive: true, force: true });
  }
}

// The command --------------------------------------------------------------------------------------------------------

const commandFile = root => path.join(root, 'node_modules', '.bin', 'longhaul');

/** `npx longhaul` looks in node_modules/.bin; npm links dependencies there, but not the project's own command. */
function commandMissing(root) {
  if (process.platform === 'win32') return null; // newer npm finds the project's own command by itself
  return fs.existsSync(commandFile(root)) ? null : 'linked, for npx longhaul';
}

function linkCommand(root) {
  fs.rmSync(commandFile(root), { force: true }); // a dangling link
  fs.symlinkSync(path.join('..', '..', 'infra', 'bin', 'longhaul.js'), commandFile(root));
}

// Temporal -----------------------------------------------------------------------------------------------------------

async function findTemporal(root) {
  const { findTemporal: find } = require(path.join(root, 'dist', 'infra', 'local', 'temporal-binary.js'));
  const started = Date.now();
  let shown = false;
  const log = line => {
    shown = true;
    say(line);
  };
  const found = await find({ log }).catch(error => {
    throw new SetupError(error.message);
  });
  if (shown) say(`Temporal: ${found}, in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

// Helpers ------------------------------------------------------------------------------------------------------------

function execute(command, args, options, advice) {
  const result = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (result.signal === 'SIGINT') throw new SetupError('Interrupted; run the same command again to go on.');
  if (result.error || result.status !== 0) {
    throw new SetupError([...(result.error ? [result.error.message] : []), ...advice].join('\n'));
  }
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/** On standard error, so that what a command prints on standard output stays its own. */
function say(line) {
  process.stderr.write(`longhaul set-up  ${line}\n`);
}

module.exports = {
  SetupError,
  checkNode,
  dependenciesDiffer,
  sourcesChanged,
  hashSources,
  build,
  commandMissing,
  main,
};

if (require.main === module) {
  main().then(
    () => process.exit(0),
    error => {
      say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
      process.exit(1);
    },
  );
}
