import { type ChatRequest, createChatClient } from '../../../activities/remote/chat.js';
import {
  EndpointRefusedError,
  EndpointRejectedError,
  EndpointUnavailableError,
  MissingKeyError,
} from '../../../activities/remote/errors.js';
import { type ChatSettings, chatSchema, timeoutOf } from '../../../activities/remote/settings.js';
import { busyUntil, completion, FAULTS, FakeChat, type Fault, hastyClock } from '../../support/fake-chat.js';

const KEY = 'sk-proj-0123456789/abc+"def';
const REQUEST: ChatRequest = {
  messages: [{ role: 'user', content: 'Well?' }],
  temperature: 0.7,
  topP: 0.95,
  maxTokens: 100,
};

let fake: FakeChat;
beforeEach(async () => {
  fake = await new FakeChat().start();
});
afterEach(() => fake.stop());

function client(settings: Partial<ChatSettings> = {}, environment: Record<string, string> = { CHAT_KEY: KEY }) {
  const clock = hastyClock();
  const whole = chatSchema.parse({ url: fake.url, model: 'm', keyVariable: 'CHAT_KEY', retrySeconds: 30, ...settings });
  return { ...createChatClient(whole, environment, clock), clock };
}

const never = new AbortController().signal;
const ask = (settings: Partial<ChatSettings> = {}) => client(settings).ask(REQUEST, { signal: never });
const failure = (settings: Partial<ChatSettings> = {}): Promise<Error> =>
  ask(settings).then(
    reply => Promise.reject(new Error(`expected a failure, got ${JSON.stringify(reply)}`)),
    error => error,
  );

describe('a question', () => {
  test('goes out as the interface has it, with the key in the header alone', async () => {
    await client().ask({ ...REQUEST, seed: 3 }, { signal: never });
    const [{ path, headers, body }] = fake.requests as [FakeChat['requests'][number]];
    expect(path).toBe('/v1/chat/completions');
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body).toEqual({
      model: 'm',
      messages: REQUEST.messages,
      temperature: 0.7,
      top_p: 0.95,
      max_tokens: 100,
      seed: 3,
    });
  });

  test('takes further fields, and leaves out what null says', async () => {
    await ask({
      maxTokensField: 'max_completion_tokens',
      extra: { reasoning_effort: 'high', temperature: null, top_p: null },
    });
    expect(fake.requests[0]!.body).toEqual({
      model: 'm',
      messages: REQUEST.messages,
      max_completion_tokens: 100,
      reasoning_effort: 'high',
    });
  });

  test('keeps what stands in the address behind the path', async () => {
    await ask({ url: `${fake.url}/?api-version=2` });
    expect(fake.requests[0]!.path).toBe('/v1/chat/completions?api-version=2');
  });

  test('leaves out a top_p that cuts nothing off', async () => {
    await client().ask({ ...REQUEST, topP: 1 }, { signal: never });
    expect(fake.requests[0]!.body).not.toHaveProperty('top_p');
  });

  test('goes out with the key in the header that is named, and with headers from the environment', async () => {
    const settings = { keyHeader: 'api-key', headers: { 'X-Team': 'TEAM', Authorization: 'GATEWAY' } };
    const environment = { CHAT_KEY: KEY, TEAM: 'long context', GATEWAY: 'Basic bWU6cGFzczAxMjM0NTY3ODk=' };
    fake.reply = ({ headers }) => `${headers['api-key']} ${headers.authorization} bWU6cGFzczAxMjM0NTY3ODk=`;
    const { text } = await client(settings, environment).ask(REQUEST, { signal: never });
    expect(fake.requests[0]!.headers).toMatchObject({
      'api-key': KEY,
      'x-team': 'long context',
      authorization: environment.GATEWAY,
    });
    expect(text).toBe('[key] [key] [key]');
    expect(() => client(settings, { CHAT_KEY: KEY, TEAM: 'a' })).toThrow(
      /GATEWAY, which holds the header Authorization/,
    );
  });

  test('asks for pieces where told so, with their count', async () => {
    await ask({ stream: true });
    expect(fake.requests[0]!.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    await ask({ stream: true, extra: { stream_options: null } });
    expect(fake.requests[1]!.body).not.toHaveProperty('stream_options');
  });

  test.each([
    [undefined, 100, 600],
    [undefined, 6000, 600],
    [undefined, 32_768, 3277],
    [90, 32_768, 90],
  ])('waits as its settings (%s) and its length (%i tokens) have it: %i s', (timeoutSeconds, maxTokens, seconds) => {
    expect(timeoutOf({ timeoutSeconds }, maxTokens)).toBe(seconds);
  });

  test('needs no key where none is named', async () => {
    await client({ keyVariable: null }, {}).ask(REQUEST, { signal: never });
    expect(fake.requests[0]!.headers.authorization).toBeUndefined();
  });
});

describe('a reply', () => {
  const replies: [
    string,
    object,
    { text: string; finish: string; promptTokens?: number; completionTokens?: number },
  ][] = [
    ['as usual', completion('Paris.'), { text: 'Paris.', finish: 'stop', promptTokens: 10, completionTokens: 2 }],
    ['cut off', completion('Par', { finish: 'length' }), { text: 'Par', finish: 'length' }],
    [
      'cut off, of which nothing is there',
      { choices: [{ finish_reason: 'length', index: 0 }], usage: { prompt_tokens: 7180, total_tokens: 7193 } },
      { text: '', finish: 'length', promptTokens: 7180, completionTokens: 0 },
    ],
    [
      'counted in part',
      completion('Paris.', { usage: { prompt_tokens: 10, total_tokens: 10 } }),
      { text: 'Paris.', finish: 'stop', promptTokens: 10, completionTokens: 2 },
    ],
    [
      'counted with nothing',
      completion('Paris.', { usage: {} }),
      { text: 'Paris.', finish: 'stop', promptTokens: 2, completionTokens: 2 },
    ],
    [
      'counted with nulls and worse',
      completion('Paris.', { usage: { prompt_tokens: null, completion_tokens: -1 } }),
      { text: 'Paris.', finish: 'stop', promptTokens: 2, completionTokens: 2 },
    ],
    [
      'ended as nobody else says it',
      completion('Paris.', { finish: 'satisfied' }),
      { text: 'Paris.', finish: 'other' },
    ],
    ['ended in capitals', completion('Paris.', { finish: 'MAX_TOKENS' }), { text: 'Paris.', finish: 'length' }],
    [
      'with a call of a tool beside what it says',
      completion('Paris.', { finish: 'tool_calls', message: { tool_calls: [{ id: 'c' }] } }),
      { text: 'Paris.', finish: 'other' },
    ],
    [
      'with thinking apart',
      completion('Paris.', { message: { reasoning_content: 'Hm.' } }),
      { text: 'Paris.', finish: 'stop' },
    ],
    [
      'cut off while thinking',
      completion('', { finish: 'length', message: { reasoning_content: 'The answer is' } }),
      { text: '<think>\nThe answer is', finish: 'length' },
    ],
    [
      'all of it taken for thinking',
      completion(null, { message: { reasoning: 'The answer is Paris.' } }),
      { text: 'The answer is Paris.', finish: 'stop' },
    ],
    [
      'in parts',
      completion(null, { message: { content: [{ type: 'thinking' }, { type: 'text', text: 'Paris.' }] } }),
      { text: 'Paris.', finish: 'stop' },
    ],
    [
      'that nobody counted',
      completion('Paris.', { usage: null }),
      { text: 'Paris.', finish: 'stop', promptTokens: 2, completionTokens: 2 },
    ],
  ];
  test.each(replies)('%s', async (_, reply, { text, finish, ...usage }) => {
    fake.reply = () => reply;
    const found = await ask();
    expect(found).toMatchObject({ text, finish, ...(usage.promptTokens !== undefined && { usage }) });
  });
});

describe('a reply in pieces', () => {
  const pieces = (...lines: (string | object)[]): string =>
    lines.map(line => (typeof line === 'string' ? line : `data: ${JSON.stringify(line)}`)).join('\n\n');
  const piece = (delta: object, rest: object = {}) => ({ choices: [{ index: 0, delta, ...rest }] });
  const end = { choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } };
  const answered =
    (body: string): Fault =>
    response => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(body);
    };

  test.each<[string, string, object]>([
    [
      'is gathered, with its count at the end',
      pieces(
        piece({ role: 'assistant', content: '' }),
        piece({ content: 'Pa' }),
        piece({ content: 'ris.' }, { finish_reason: 'stop' }),
        end,
        'data: [DONE]',
        '',
      ),
      { text: 'Paris.', finish: 'stop', usage: { promptTokens: 7, completionTokens: 3 } },
    ],
    [
      'may count as it goes, end in carriage returns, and begin with a byte order mark',
      `\ufeff${pieces(': hi', { ...piece({ content: 'Paris.' }, { finish_reason: 'stop' }), usage: end.usage }, 'data:[DONE]', '').replaceAll('\n', '\r\n')}`,
      { text: 'Paris.', usage: { promptTokens: 7, completionTokens: 3 } },
    ],
    [
      'may say at [DONE] alone that it is whole, and count nothing',
      pieces(piece({ content: 'Paris.' }), 'data: [DONE]', ''),
      { text: 'Paris.', finish: 'stop', usage: { promptTokens: 2, completionTokens: 2 } },
    ],
    [
      'keeps thinking apart',
      pieces(
        piece({ reasoning_content: 'Hm' }),
        piece({ reasoning_content: '.' }),
        piece({ content: 'Paris.' }),
        piece({}, { finish_reason: 'length' }),
        'data: [DONE]',
        '',
      ),
      { text: 'Paris.', finish: 'length' },
    ],
    [
      'may be of several choices, of which the first is taken',
      pieces(
        { choices: [{ index: 1, delta: { content: 'No.' } }] },
        piece({ content: 'Paris.' }, { finish_reason: 'stop' }),
        '',
      ),
      { text: 'Paris.' },
    ],
  ])('%s', async (_, body, reply) => {
    fake.always = answered(body);
    expect(await ask({ stream: true })).toMatchObject(reply);
  });

  test.each([
    ['an error in the middle', pieces(piece({ content: 'Pa' }), { error: { code: 503, message: 'gone' } }, '')],
    ['an end before its end', pieces(piece({ content: 'Pa' }), '')],
    ['half a piece', `${pieces(piece({ content: 'Pa' }))}\n\ndata: {"choices": [{"del`],
    ['an error in the choice', pieces(piece({ content: 'Pa' }, { finish_reason: 'error', error: { code: 502 } }), '')],
    ['nothing', ''],
  ])('%s is no reply: asked for again', async (_, body) => {
    fake.next = [answered(body), null];
    expect(await ask({ stream: true })).toMatchObject({ text: 'Fine.' });
    expect(fake.requests).toHaveLength(2);
  });

  test('that breaks off for want of credit is refused', async () => {
    fake.always = answered(pieces(piece({ content: 'Pa' }), { error: { code: 402, message: 'no credits left' } }, ''));
    expect((await failure({ stream: true })).message).toMatch(/top it up/);
  });

  test('may take as long as pieces come; silence is what is limited', async () => {
    fake.always = response => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const said = [...Array(8).fill(piece({ content: 'x' })), piece({}, { finish_reason: 'stop' })];
      const timer = setInterval(() => {
        const next = said.shift();
        if (next) response.write(`data: ${JSON.stringify(next)}\n\n`);
        else {
          clearInterval(timer);
          response.end();
        }
      }, 50);
    };
    expect(await ask({ stream: true, timeoutSeconds: 0.3 })).toMatchObject({ text: 'xxxxxxxx' });
    expect(fake.requests).toHaveLength(1);
    fake.always = response => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const timer = setInterval(() => response.write(': keep-alive\n\n'), 20);
      response.on('close', () => clearInterval(timer));
    };
    expect(await failure({ stream: true, timeoutSeconds: 0.2, retrySeconds: 0 })).toMatchObject({
      last: expect.stringMatching(/no whole reply within 0.2 s. Raise timeoutSeconds/),
    });
  });

  test('whose key is spread over several holds none', async () => {
    fake.always = answered(
      pieces(
        piece({ content: `You sent ${KEY.slice(0, 12)}` }),
        piece({ content: KEY.slice(12) }, { finish_reason: 'stop' }),
        '',
      ),
    );
    expect((await ask({ stream: true })).text).toBe('You sent [key]');
  });
});

describe('a failure that may pass', () => {
  const passing: [keyof typeof FAULTS, RegExp][] = [
    ['hang', /no whole reply within 0.2 s. Raise timeoutSeconds/],
    ['hangInBody', /no whole reply within 0.2 s/],
    ['trickle', /no whole reply within 0.2 s/],
    ['reset', /ECONNRESET|other side closed/],
    ['truncated', /other side closed|terminated/],
    ['huge', /longer than 10 MB/],
    ['busy', /HTTP 429: Rate limit reached/],
    ['busyInside', /HTTP 429: Upstream is busy/],
    ['broken', /HTTP 500: Internal error/],
    ['badGateway', /HTTP 502: <html><body>Bad gateway/],
    ['overloaded', /HTTP 503: Overloaded/],
    ['cutJson', /no JSON: \{"choices"/],
    ['emptyBody', /no JSON: \(an empty body\)/],
  ];
  const timeoutSeconds = (name: string) => ({ timeoutSeconds: /hang|trickle/.test(name) ? 0.2 : 5 });

  test.each(passing)('%s is tried again', async name => {
    fake.next = [FAULTS[name], FAULTS[name], null];
    expect(await ask(timeoutSeconds(name))).toMatchObject({ text: 'Fine.' });
    expect(fake.requests).toHaveLength(3);
  });

  test.each(passing)('%s to the end is said', async (name, last) => {
    fake.always = FAULTS[name];
    const error = await failure({ ...timeoutSeconds(name), retrySeconds: 0 });
    expect(error).toBeInstanceOf(EndpointUnavailableError);
    expect(error).toMatchObject({ tries: 1, last: expect.stringMatching(last) });
    expect(error.message).toMatch(/^http.* \(model m\) gave no usable reply in one try over 0 s; last: /);
  });

  test('a server that is not there', async () => {
    const error = await failure({ url: 'http://127.0.0.1:1/v1', retrySeconds: 3 });
    expect(error).toBeInstanceOf(EndpointUnavailableError);
    expect(error.message).toMatch(/in 3 tries over 2 s; last: connect ECONNREFUSED/);
  });

  test('waits longer each time, by chance up to half less, within the budget', async () => {
    fake.always = FAULTS.overloaded;
    const asking = client();
    await expect(asking.ask(REQUEST, { signal: never })).rejects.toThrow(EndpointUnavailableError);
    expect(asking.clock.waits).toEqual([500, 1000, 2000, 4000, 8000]);
    expect(fake.requests).toHaveLength(6);
    const lucky = client();
    lucky.clock.random = () => 0;
    await expect(lucky.ask(REQUEST, { signal: never })).rejects.toThrow(EndpointUnavailableError);
    expect(lucky.clock.waits.slice(0, 3)).toEqual([250, 500, 1000]);
  });

  test('comes back when it was told to, in seconds or by date, and a little later', async () => {
    fake.next = [FAULTS.busyForSeconds, busyUntil(new Date(Date.now() + 20_000)), null];
    const asking = client();
    await asking.ask(REQUEST, { signal: never });
    expect(asking.clock.waits[0]).toBe(7000 + 100);
    expect(asking.clock.waits[1]).toBeGreaterThan(18_000);
    expect(asking.clock.waits[1]).toBeLessThan(20_001 + 200);
  });

  test('told to come back by date, goes by the clock of the endpoint', async () => {
    const date = new Date(Date.now() + 5 * 3_600_000);
    fake.next = [busyUntil(new Date(date.getTime() + 20_000), date), null];
    const asking = client();
    await asking.ask(REQUEST, { signal: never });
    expect(asking.clock.waits).toEqual([20_000 + 100]);
  });

  test('does not wait for what comes after the budget', async () => {
    fake.always = FAULTS.busyForHours;
    const asking = client();
    await expect(asking.ask(REQUEST, { signal: never })).rejects.toMatchObject({ tries: 1 });
    expect(asking.clock.waits).toEqual([]);
  });
});

describe('a failure that stays', () => {
  const refusals: [keyof typeof FAULTS, 'environment' | 'spec', RegExp][] = [
    ['unauthorized', 'environment', /HTTP 401.*environment variable CHAT_KEY/],
    ['forbidden', 'environment', /HTTP 403.*may use this model/],
    ['noCredit', 'environment', /HTTP 402.*top it up/],
    ['noQuota', 'environment', /HTTP 429.*top it up/],
    ['notFound', 'spec', /HTTP 404.*model's name/],
    ['badModel', 'spec', /HTTP 400.*model's name/],
    ['redirect', 'spec', /HTTP 308.*\(https:\/\/elsewhere\.example\/v1\/chat\/completions\)/],
  ];
  test.each(refusals)('%s is refused at once, with advice', async (name, mendedIn, message) => {
    fake.always = FAULTS[name];
    const error = await failure();
    expect(error).toBeInstanceOf(EndpointRefusedError);
    expect(error).toMatchObject({ mendedIn, message: expect.stringMatching(message) });
    expect(error.message).not.toContain('secret=1');
    expect(fake.requests).toHaveLength(1);
  });

  test.each([
    ['noChoices', /no chat completion: choices/],
    ['noMessage', /a choice without a message/],
    ['emptyReply', /says nothing/],
  ] as const)('%s is asked for three times, and that question left out', async (name, message) => {
    fake.next = [FAULTS[name], FAULTS[name], null];
    expect(await ask()).toMatchObject({ text: 'Fine.' });
    fake.always = FAULTS[name];
    const error = await failure();
    expect(error).toBeInstanceOf(EndpointRejectedError);
    expect(error.message).toMatch(message);
    expect(fake.requests).toHaveLength(6);
  });

  test('a web page with 200 is refused, and passes of an endpoint that answered before', async () => {
    const url = `${fake.url}/never-asked-before`;
    fake.always = FAULTS.html;
    expect((await failure({ url })).message).toMatch(/a web page in place of JSON: <html>.*Check url .*\/v1/);
    expect(fake.requests).toHaveLength(1);
    fake.always = null;
    await ask({ url });
    fake.next = [FAULTS.html];
    expect(await ask({ url })).toMatchObject({ text: 'Fine.' });
  });

  test('a limit that the model knows by its newer name alone is learnt, once', async () => {
    const picky: Fault = (response, request) =>
      'max_tokens' in request.body
        ? FAULTS.badParameter(response, request)
        : response.end(JSON.stringify(completion('Fine.')));
    fake.always = picky;
    const one = client();
    for (let k = 0; k < 3; k++) await one.ask(REQUEST, { signal: never });
    expect(fake.requests.map(({ body }) => [body.max_tokens, body.max_completion_tokens])).toEqual([
      [100, undefined],
      [undefined, 100],
      [undefined, 100],
      [undefined, 100],
    ]);
  });

  test('a wanted key that no variable is named for', async () => {
    fake.always = FAULTS.unauthorized;
    expect((await failure({ keyVariable: null })).message).toMatch(/name that one as keyVariable/);
  });

  test.each(['tooLong', 'tooLarge', 'filtered', 'filteredInside', 'declined', 'callsTool'] as const)(
    '%s rejects that request alone',
    async name => {
      fake.next = [FAULTS[name]];
      expect(await failure()).toBeInstanceOf(EndpointRejectedError);
      expect(fake.requests).toHaveLength(1);
      expect(await ask()).toMatchObject({ text: 'Fine.' });
    },
  );
});

describe('the key', () => {
  const echo: Fault = (response, { headers }) =>
    response.end(JSON.stringify(completion(`You sent ${headers.authorization}`)));

  test('is in no message, whatever the endpoint sends back', async () => {
    for (const fault of [FAULTS.echoesKey, ...Object.values(FAULTS)]) {
      fake.always = fault;
      const error: Error = await ask({ timeoutSeconds: 0.05, retrySeconds: 0 }).then(
        () => new Error('none'),
        found => found,
      );
      const said = `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;
      expect(said).not.toContain('0123456789');
    }
    fake.always = FAULTS.echoesKey;
    expect((await failure()).message).toContain('provided: Bearer [key]');
  });

  test.each<[string, (key: string) => string]>([
    ['as it is', key => key],
    ['in JSON', key => JSON.stringify(key)],
    ['as PHP writes JSON', key => JSON.stringify(key).replaceAll('/', '\\/')],
    ['as .NET writes JSON', key => key.replaceAll('+', '\\u002B').replaceAll('"', '\\u0022')],
    ['in an address', encodeURIComponent],
  ])('is in no message, spelt %s', async (_, spelt) => {
    for (const [status, text] of [
      [401, spelt(KEY)],
      [401, JSON.stringify({ error: { message: spelt(KEY) } })],
      [401, `{"error": {"message": "${[...KEY].map(c => `\\u00${c.charCodeAt(0).toString(16)}`).join('')}"}}`],
      [400, `{"error": {"message": ${JSON.stringify(KEY).replaceAll('+', '\\u002B')}}}`],
    ] as const) {
      fake.always = response => response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
      const { message } = await failure();
      expect(message).toContain('[key]');
      expect(message).not.toContain('0123456789');
    }
  });

  test('is in no message about a redirect', async () => {
    fake.always = response =>
      response.writeHead(308, { Location: `https://elsewhere.example/${encodeURIComponent(KEY)}` }).end();
    expect((await failure()).message).toContain('(https://elsewhere.example/[key])');
  });

  test('is in no reply', async () => {
    fake.always = echo;
    expect((await ask()).text).toBe('You sent Bearer [key]');
  });

  test('that is a placeholder leaves replies alone', async () => {
    fake.reply = () => 'The box is EMPTY.';
    expect((await client({}, { CHAT_KEY: 'EMPTY' }).ask(REQUEST, { signal: never })).text).toBe('The box is EMPTY.');
  });

  test.each([
    ['is not set', {}],
    ['is not set', { CHAT_KEY: '' }],
    ['holds blanks', { CHAT_KEY: 'sk-0123456789\nsk-0123456789' }],
    ['holds blanks', { CHAT_KEY: 'sk-0123456789–' }],
  ])('%s: said by the name of its variable and of the worker', (problem, environment) => {
    const create = () => client({}, environment);
    expect(create).toThrow(MissingKeyError);
    expect(create).toThrow(new RegExp(`CHAT_KEY.* ${problem}.*process ${process.pid}`));
    expect(create).not.toThrow(/0123456789/);
  });

  test.each([
    [{ url: 'https://user:pass@host/v1' }, /without a key/],
    [{ url: 'https://host/v1?api_key=x' }, /without a key/],
    [{ url: 'ftp://host' }, /https:\/\/ or http/],
    [{ url: 'host/v1' }, /expected an address/],
    [{ keyVariable: 'sk-0123' }, /never the key itself/],
    [{ extra: { api_key: 'x' } }, /no key/],
    [{ extra: { messages: [] } }, /none of messages/],
    [{ headers: { 'api-key': 'sk-0123' } }, /never the key itself/],
    [{ headers: { 'bad name': 'KEY' } }, /a header's name/],
    [{ headers: { Host: 'KEY' } }, /none of host/],
    [{ keyHeader: 'Authorization: Bearer' }, /a header's name/],
  ])('has no place in settings: %j', (settings, message) => {
    expect(() => chatSchema.parse({ url: 'https://host/v1', model: 'm', ...settings })).toThrow(message);
  });
});

describe('aborting', () => {
  test.each(['hang', 'trickle'] as const)('ends a request under way (%s)', async name => {
    fake.always = FAULTS[name];
    const stop = new AbortController();
    const asking = client({ timeoutSeconds: 60 }).ask(REQUEST, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 30);
    await expect(asking).rejects.toThrow('enough');
  });

  test('ends a wait', async () => {
    fake.always = FAULTS.busyForSeconds;
    const stop = new AbortController();
    const settings = chatSchema.parse({ url: fake.url, model: 'm' });
    const asking = createChatClient(settings, {}).ask(REQUEST, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 30);
    await expect(asking).rejects.toThrow('enough');
    expect(fake.requests).toHaveLength(1);
  });

  test('asks nothing any more', async () => {
    await expect(client().ask(REQUEST, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(fake.requests).toHaveLength(0);
  });
});
