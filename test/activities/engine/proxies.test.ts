import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { Hub } from '../../../activities/engine/files/hub.js';
import { ProxySettingError, proxyFor } from '../../../activities/engine/proxies.js';
import { createChatClient } from '../../../activities/remote/chat.js';
import { chatSchema } from '../../../activities/remote/settings.js';
import { FakeChat, hastyClock } from '../../support/fake-chat.js';
import { COMMIT, FakeHub } from '../../support/fake-hub.js';
import { LoggingProxy } from '../../support/proxy.js';
import { TLS_OPTIONS } from '../../support/tls-front.js';

const PROXY = 'http://proxy.example:3128';

describe('which proxy', () => {
  test.each<[string, Record<string, string>, string | null]>([
    ['https://api.example/v1', {}, null],
    ['https://api.example/v1', { HTTPS_PROXY: PROXY }, 'HTTPS_PROXY'],
    ['http://api.example/v1', { HTTPS_PROXY: PROXY }, null],
    ['http://api.example/v1', { HTTP_PROXY: PROXY }, 'HTTP_PROXY'],
    ['https://api.example/v1', { HTTP_PROXY: PROXY }, null],
    ['https://api.example/v1', { ALL_PROXY: PROXY }, 'ALL_PROXY'],
    ['https://api.example/v1', { HTTPS_PROXY: 'http://other', https_proxy: PROXY }, 'https_proxy'],
    ['https://api.example/v1', { HTTPS_PROXY: '  ' }, null],
    ['https://api.example/v1', { HTTPS_PROXY: 'proxy.example:3128' }, 'HTTPS_PROXY'],
  ])('%s with %j', (address, environment, variable) => {
    const found = proxyFor(new URL(address), environment);
    expect(found?.variable ?? null).toBe(variable);
    if (found) expect(found.url.origin).toBe(PROXY);
  });

  test.each<[string, string, boolean]>([
    ['https://api.example/v1', 'api.example', true],
    ['https://api.example/v1', 'example', true],
    ['https://api.example/v1', '.example', true],
    ['https://api.example/v1', '*.example', true],
    ['https://api.example/v1', 'API.Example', true],
    ['https://api.example/v1', 'pi.example', false],
    ['https://api.example/v1', 'other, api.example', true],
    ['https://api.example/v1', 'other api.example', true],
    ['https://api.example/v1', '*', true],
    ['https://api.example/v1', '', false],
    ['https://api.example:8443/v1', 'api.example:8443', true],
    ['https://api.example/v1', 'api.example:443', true],
    ['https://api.example/v1', 'api.example:8443', false],
    ['https://10.1.2.3/v1', '10.0.0.0/8', true],
    ['https://11.1.2.3/v1', '10.0.0.0/8', false],
    ['https://10.1.2.3/v1', '10.0.0.0/99', false],
    ['https://127.0.0.1:8000/v1', 'localhost,127.0.0.1', true],
    ['https://127.0.0.1/v1', '0.1', false],
    ['https://[::1]/v1', '::1', true],
    ['https://[::1]:8443/v1', '[::1]:8443', true],
    ['https://[fd00::5]/v1', 'fd00::/8', true],
  ])('%s, NO_PROXY=%s', (address, noProxy, isExempt) => {
    expect(proxyFor(new URL(address), { HTTPS_PROXY: PROXY, NO_PROXY: noProxy }) === null).toBe(isExempt);
  });

  test.each(['socks5://proxy.example:1080', 'http://', 'http://user:secret0123456789@:x'])(
    '%s is said, without what it holds',
    wrong => {
      const find = () => proxyFor(new URL('https://api.example'), { HTTPS_PROXY: wrong });
      expect(find).toThrow(ProxySettingError);
      expect(find).toThrow(/^HTTPS_PROXY in this worker's environment: expected the address of a proxy/);
      expect(find).not.toThrow(/0123456789/);
    },
  );
});

describe('through a proxy', () => {
  let port = 0;
  let proxy: LoggingProxy;
  beforeEach(async () => {
    proxy = await new LoggingProxy(() => port).start();
  });
  afterEach(() => proxy.stop());

  const ask = (url: string, environment: Record<string, string>) => {
    const settings = chatSchema.parse({ url, model: 'm', retrySeconds: 1 });
    const request = { messages: [{ role: 'user' as const, content: 'Well?' }], temperature: 0, topP: 1, maxTokens: 9 };
    return createChatClient(settings, environment, hastyClock()).ask(request, { signal: new AbortController().signal });
  };

  describe('an endpoint', () => {
    let chat: FakeChat;
    beforeEach(async () => {
      chat = await new FakeChat().start();
      port = Number(new URL(chat.url).port);
    });
    afterEach(() => chat.stop());

    test('by http is asked for whole, with the name and password of the proxy', async () => {
      const url = proxy.url.replace('http://', 'http://me:pass%20word@');
      expect(await ask('http://judge.example/v1', { HTTP_PROXY: url })).toMatchObject({ text: 'Fine.' });
      expect(proxy.asked).toEqual(['POST http://judge.example/v1/chat/completions']);
      expect([...proxy.authorizations]).toEqual([`Basic ${Buffer.from('me:pass word').toString('base64')}`]);
      expect(chat.requests[0]!.headers.host).toBe('judge.example');
    });

    test('that NO_PROXY names is reached straight', async () => {
      const environment = { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.0/8' };
      expect(await ask(chat.url, environment)).toMatchObject({ text: 'Fine.' });
      expect(proxy.asked).toEqual([]);
    });

    test.each(['http', 'https'])(
      'by %s of a proxy that wants a password is refused, to be mended there',
      async protocol => {
        proxy.refuseWith = 407;
        const environment = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
        await expect(ask(`${protocol}://judge.example/v1`, environment)).rejects.toMatchObject({
          name: 'EndpointRefusedError',
          mendedIn: 'environment',
          message: expect.stringMatching(
            /407.*by way of the proxy http:\/\/127\.0\.0\.1:\d+ of HTTPS?_PROXY.*Check HTTPS_PROXY/,
          ),
        });
        expect(proxy.asked).toHaveLength(1);
      },
    );
  });

  describe('by https', () => {
    let server: Server;
    beforeEach(async () => {
      server = createServer({ ...TLS_OPTIONS, requestCert: false, ALPNProtocols: ['http/1.1'] }, socket =>
        socket.end(),
      );
      server.on('tlsClientError', () => {});
      await new Promise<void>(started => server.listen(0, '127.0.0.1', started));
      port = (server.address() as AddressInfo).port;
    });
    afterEach(() => new Promise(stopped => server.close(stopped)));

    test('there is a tunnel, in which certificates are looked at; asking again would not mend them', async () => {
      await expect(ask('https://judge.example/v1', { HTTPS_PROXY: proxy.url })).rejects.toMatchObject({
        mendedIn: 'environment',
        message: expect.stringMatching(/certificate.*by way of the proxy.*NODE_EXTRA_CA_CERTS/),
      });
      expect(proxy.asked).toEqual(['CONNECT judge.example:443']);
    });
  });

  test('that is away is named, without its password', async () => {
    const environment = { HTTPS_PROXY: 'http://me:secret0123456789@127.0.0.1:1' };
    const failure = await ask('https://judge.example/v1', environment).catch((error: Error) => error);
    expect(String(failure)).toMatch(
      /ECONNREFUSED 127.0.0.1:1, by way of the proxy http:\/\/127\.0\.0\.1:1 of HTTPS_PROXY/,
    );
    expect(String(failure)).not.toContain('0123456789');
  });

  describe('the Hub', () => {
    let hub: FakeHub;
    let folder: string;
    beforeEach(async () => {
      hub = new FakeHub();
      hub.files.set('config.json', Buffer.from('{}'));
      port = Number(new URL(await hub.start()).port);
      folder = await mkdtemp(join(tmpdir(), 'longhaul-proxied-'));
    });
    afterEach(async () => {
      await hub.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('is reached by it, at a mirror too', async () => {
      const environment = { HF_ENDPOINT: 'http://mirror.example', HTTP_PROXY: proxy.url };
      const mirror = new Hub(
        { type: 'model', name: 'owner/tiny' },
        { environment: environment as unknown as NodeJS.ProcessEnv },
      );
      expect(await mirror.commitOf('main')).toBe(COMMIT);
      const [file] = await mirror.files(COMMIT);
      await mirror.fetchFile(COMMIT, file!, folder);
      expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe('{}');
      expect(proxy.asked.length).toBeGreaterThanOrEqual(3);
      expect(proxy.asked.every(asked => asked.includes('http://mirror.example/'))).toBe(true);
    });

    test('that is not reached is said with the proxy', async () => {
      const environment = { HF_ENDPOINT: 'https://mirror.example', HTTPS_PROXY: 'http://127.0.0.1:1' };
      const away = new Hub(
        { type: 'model', name: 'owner/tiny' },
        { environment: environment as unknown as NodeJS.ProcessEnv },
      );
      const error = await away.commitOf('main').catch((error: unknown) => error);
      expect(String(await away.explained(error, 'hf:owner/tiny', folder))).toMatch(
        /cannot be fetched from https:\/\/mirror\.example by way of the proxy http:\/\/127\.0\.0\.1:1 of HTTPS_PROXY: .*ECONNREFUSED/,
      );
    });
  });
});
