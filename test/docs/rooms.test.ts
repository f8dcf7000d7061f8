/** The tables of rooms in docs/architecture.md are the folders that there are, in the words of their own faces. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, tableUnder } from '../support/pages';

const FILE = 'docs/architecture.md';

const foldersOf = (floor: string): string[] =>
  readdirSync(join(ROOT, floor), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name);

const roomsUnder = (heading: string) =>
  tableUnder(FILE, heading).map(([room, says]) => ({ room: room!.replace(/^`(.*)\/`$/, '$1'), says: says! }));

test.each([
  ['activities', foldersOf('activities').filter(room => room !== 'engine')],
  ['activities/engine', foldersOf('activities/engine')],
])('%s', (floor, folders) => {
  const rooms = roomsUnder(`The rooms of ${floor}/`);
  expect(rooms.map(({ room }) => room).sort()).toEqual(folders.sort());
  for (const { room, says } of rooms) {
    const [face] = readFileSync(join(ROOT, floor, room, 'index.ts'), 'utf8').split('\n');
    expect(`/** ${says} */`).toBe(face);
  }
});

test('infra', () => {
  const rooms = roomsUnder('The rooms of infra/');
  expect(rooms.map(({ room }) => room).sort()).toEqual(foldersOf('infra').sort());
});
