import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultyLink } from '../../../infra/chaos/faulty-link.js';

let echo: Server;
let link: FaultyLink;
/** Of the errors that connections ended with. */
let codes: (string | undefined)[];
const sockets: Socket[] = [];

beforeEach(async () => {
  codes = [];
  echo = createServer(socket => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  link = await FaultyLink.listen({ host: '127.0.0.1', port: (echo.address() as { port: number }).port });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  link.close();
  echo.close();
});

async function client(): Promise<Socket> {
  const [host, port] = link.address.split(':');
  const socket = connect({ host: host!, port: Number(port) });
  socket.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code));
  sockets.push(socket);
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await once(socket, 'close').catch(() => {});
}

async function says(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [data] = await once(socket, 'data');
  return String(data);
}

test('forwards both ways, however much', async () => {
  const socket = await client();
  expect(await says(socket, 'hello')).toBe('hello');
  let length = 0;
  socket.on('data', data => {
    length += data.length;
  });
  const sent = 5_000_000;
  socket.write(Buffer.alloc(sent, 7));
  while (length < sent) await once(socket, 'data');
  expect(length).toBe(sent);
});

test('cut: connections are reset, and new ones too, until it is mended', async () => {
  const socket = await client();
  expect(await says(socket, 'hello')).toBe('hello');
  link.cut();
  await closed(socket);
  await closed(await client());
  expect(codes).toEqual(['ECONNRESET', 'ECONNRESET']);
  link.mend();
  expect(await says(await client(), 'again')).toBe('again');
});

test('stalled: connections stay and nothing arrives; mending resets them', async () => {
  const socket = await client();
  expect(await says(socket, 'hello')).toBe('hello');
  link.stall();
  const arrived: unknown[] = [];
  socket.on('data', data => arrived.push(data));
  socket.write('into the void');
  await sleep(100);
  expect([arrived, socket.destroyed]).toEqual([[], false]);
  link.mend();
  await closed(socket);
  expect(codes).toEqual(['ECONNRESET']);
  expect(await says(await client(), 'again')).toBe('again');
});
