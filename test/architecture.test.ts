/**
 * The house's plan, held against the imports: rooms depend downwards only, nobody looks past a room's face, nothing goes in
 * circles.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { type ModuleItem, parseSync } from '@swc/core';

const ROOT = join(__dirname, '..');
const LAYERS = ['activities', 'workflows', 'workers', 'infra'];
/** From the ground up: each imports only what stands before it. A folder is a room, and its index.ts its face. */
const ENGINE = [
  ...['random.ts', 'secrets.ts', 'proxies.ts', 'protocol', 'files', 'graph', 'autodiff', 'model', 'folders', 'text'],
  ...['sampling', 'training', 'process', 'tinker'],
];
const ACTIVITIES = [
  ...['contract', 'store', 'datasets', 'remote', 'rewards', 'benchmarks', 'provenance', 'spec', 'artifacts', 'text'],
  ...[
    'telemetry',
    'dependencies.ts',
    'supervision',
    'policies',
    'evaluation',
    'training',
    'run',
    'studies',
    'trackers',
    'index.ts',
  ],
];
const INFRA = [
  ...[
    'user-error.ts',
    'checkout.ts',
    'specs',
    'docs',
    'presets',
    'local',
    'grafana',
    'prometheus',
    'view',
    'evaluations',
    'studies',
    'proof',
    'init',
    'ui',
    'cli',
  ],
  ...['chaos', 'bench', 'trials'],
];
const ROOMS = [
  ...ENGINE.map(room => `activities/engine/${room}`),
  ...ACTIVITIES.map(room => `activities/${room}`),
  ...['workflows', 'workers'],
  ...INFRA.map(room => `infra/${room}`),
];
const LONGEST_FILE = 350;

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function typescriptBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return typescriptBelow(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

/** The imports and re-exports of a file that lead to files of this project. */
function importsOf(from: string): Import[] {
  const { body } = parseSync(readFileSync(join(ROOT, from), 'utf8'), { syntax: 'typescript' });
  return body.flatMap(item => {
    const source = sourceOf(item);
    if (!source?.path.startsWith('.')) return [];
    const to = normalize(join(dirname(from), source.path)).replace(/\.js$/, '.ts');
    return [{ from, to, typeOnly: source.typeOnly }];
  });
}

function sourceOf(item: ModuleItem): { path: string; typeOnly: boolean } | null {
  if (item.type === 'ImportDeclaration') return { path: item.source.value, typeOnly: item.typeOnly };
  if (item.type === 'ExportAllDeclaration') return { path: item.source.value, typeOnly: false };
  if (item.type !== 'ExportNamedDeclaration' || !item.source) return null;
  return { path: item.source.value, typeOnly: false };
}

/** The room that a file stands in: the longest entry of the plan that it lies in or is. */
function roomOf(file: string): string {
  const rooms = ROOMS.filter(room => file === room || file.startsWith(`${room}/`));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? `no room (${file})`;
}

const FILES = LAYERS.flatMap(typescriptBelow);
const IMPORTS = FILES.flatMap(importsOf);
const ACROSS = IMPORTS.filter(({ from, to }) => roomOf(from) !== roomOf(to));
const shown = ({ from, to }: Import) => `${from} -> ${to}`;

test('every file stands in a room of the plan, and every room of the plan is there', () => {
  expect(FILES.map(roomOf).filter(room => room.startsWith('no room'))).toEqual([]);
  for (const room of ROOMS) expect(FILES.some(file => roomOf(file) === room)).toBe(true);
});

test('imports between rooms run downwards', () => {
  const upwards = ACROSS.filter(({ from, to }) => ROOMS.indexOf(roomOf(to)) > ROOMS.indexOf(roomOf(from)));
  expect(upwards.map(shown)).toEqual([]);
});

test("nobody imports past a room's face", () => {
  const isFace = (file: string) => file.endsWith('/index.ts') || file === roomOf(file);
  const past = ACROSS.filter(({ to }) => to.startsWith('activities/') && !isFace(to));
  expect(past.map(shown)).toEqual([]);
});

test('every room of activities says at the top of its face what it is for, in a line', () => {
  const rooms = ROOMS.filter(room => room.startsWith('activities/') && statSync(join(ROOT, room)).isDirectory());
  const silent = rooms.filter(
    room => !/^\/\*\* [^\n]+\. \*\/\n/.test(readFileSync(join(ROOT, room, 'index.ts'), 'utf8')),
  );
  expect(silent).toEqual([]);
});

test('workflows take types alone from activities, and values from the contract, which imports nothing', () => {
  const values = IMPORTS.filter(({ from, to, typeOnly }) => {
    return !typeOnly && roomOf(from) === 'workflows' && roomOf(to) !== 'workflows';
  });
  expect(values.filter(({ to }) => roomOf(to) !== 'activities/contract').map(shown)).toEqual([]);
  expect(ACROSS.filter(({ from }) => roomOf(from) === 'activities/contract').map(shown)).toEqual([]);
});

test('no file imports itself, by whatever way round', () => {
  const next = new Map(FILES.map(file => [file, IMPORTS.filter(({ from }) => from === file).map(({ to }) => to)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '));
    if (way.includes(file) || done.has(file)) return;
    for (const to of next.get(file) ?? []) walk(to, [...way, file]);
    done.add(file);
  };
  for (const file of FILES) walk(file, []);
  expect(circles).toEqual([]);
});

test('few files stand outside rooms, and none is too long to be read at once', () => {
  const loose = (folder: string) => FILES.filter(file => dirname(file) === folder);
  expect(loose('activities').length).toBeLessThanOrEqual(6);
  expect(loose('activities/engine').length).toBeLessThanOrEqual(4);
  const long = FILES.filter(file => readFileSync(join(ROOT, file), 'utf8').split('\n').length > LONGEST_FILE + 1);
  expect(long).toEqual([]);
});
