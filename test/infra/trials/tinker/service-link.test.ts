/** Answers and promises get lost when they are told to, and nothing else does. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServiceLink } from '../../../../infra/trials/tinker/service-link';

describe('ServiceLink', () => {
  let service: Server;
  let link: ServiceLink;
  const seen: string[] = [];
  beforeAll(async () => {
    service = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(request.url === '/api/v1/none' ? 404 : 200, { 'X-Kind': 'own' }).end(`answer to ${body}`);
    });
    await new Promise<void>(listening => service.listen(0, '127.0.0.1', listening));
    link = await ServiceLink.listen((service.address() as AddressInfo).port);
  });
  afterAll(() => {
    link.close();
    service.close();
    service.closeAllConnections();
  });
  beforeEach(() => void seen.splice(0));

  const ask = (path: string, body = 'x') => fetch(`${link.url}/api/v1/${path}`, { method: 'POST', body });

  test('passes calls and answers on as they are', async () => {
    const answer = await ask('optim_step', 'a step');
    expect([answer.status, answer.headers.get('x-kind'), await answer.text()]).toEqual([
      200,
      'own',
      'answer to a step',
    ]);
    expect((await ask('none')).status).toBe(404);
    expect(seen).toEqual(['POST /api/v1/optim_step a step', 'POST /api/v1/none x']);
  });

  test('loses as many answers as it is told, of calls that arrived', async () => {
    link.loseAnswers(1);
    expect((await ask('session_heartbeat')).status).toBe(200);
    await expect(ask('optim_step')).rejects.toThrow();
    expect((await ask('optim_step')).status).toBe(200);
    expect(seen.filter(call => call.includes('optim_step')).length).toBe(2);
    expect(link.lost.answers).toBe(1);
  });

  test('says of as many promises as it is told that they are gone, and asks nobody', async () => {
    link.forgetPromises(1);
    expect((await ask('optim_step')).status).toBe(200);
    expect((await ask('retrieve_future')).status).toBe(410);
    expect((await ask('retrieve_future')).status).toBe(200);
    expect(seen.filter(call => call.includes('retrieve_future')).length).toBe(1);
  });

  test('breaks the connection while the service is away', async () => {
    const away = await ServiceLink.listen(1);
    await expect(fetch(`${away.url}/api/v1/healthz`)).rejects.toThrow();
    away.close();
  });
});
