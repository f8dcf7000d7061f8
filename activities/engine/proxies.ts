/**
 * The way to an address: straight, or through the proxy that the environment names for it, as command line tools have it:
 * HTTPS_PROXY and HTTP_PROXY by the address's protocol, else ALL_PROXY, except where NO_PROXY names the host. Of each the
 * spelling in small letters comes first. https is tunnelled by CONNECT, http asked for whole.
 */
import { BlockList, isIP } from 'node:net';
import { Agent, Dispatcher, fetch as fetchThrough, ProxyAgent } from 'undici';
import { withoutSecret } from './secrets.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says of proxies is none that can be used. No message holds a password. */
export class ProxySettingError extends Error {
  override readonly name = 'ProxySettingError';
}

export interface Proxy {
  /** The environment variable that names it. */
  variable: string;
  url: URL;
}

/** The proxy for an address; null: it is reached straight. @throws ProxySettingError */
export function proxyFor(address: URL, environment: Environment): Proxy | null {
  const names = [address.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY', 'ALL_PROXY'];
  const variable = names
    .flatMap(name => [name.toLowerCase(), name])
    .find(name => (environment[name]?.trim() ?? '') !== '');
  if (variable === undefined || isExempt(address, environment.no_proxy ?? environment.NO_PROXY ?? '')) return null;
  const text = environment[variable]!.trim();
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) {
    if (decoded(url.username) !== null && decoded(url.password) !== null) return { variable, url };
    throw new ProxySettingError(
      `${variable} in this worker's environment: expected a name and a password whose % signs are written %25`,
    );
  }
  throw new ProxySettingError(
    `${variable} in this worker's environment: expected the address of a proxy such as http://proxy.example:3128, ` +
      `found ${url === null ? 'none' : `one of the kind ${url.protocol}//`}`,
  );
}

/** How messages speak of a proxy: without the name and password that its address may hold. */
export function shownProxy({ variable, url }: Proxy): string {
  return `the proxy ${url.protocol}//${url.host} of ${variable}`;
}

/** Null where a % begins no escape. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** The text without the proxies' names and passwords, as they are written and as they are sent. */
export function withoutProxySecrets(text: string, environment: Environment): string {
  const secrets = ['https_proxy', 'http_proxy', 'all_proxy']
    .flatMap(name => [environment[name], environment[name.toUpperCase()]])
    .flatMap(address => {
      const written = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(.*)@/i.exec(address?.trim() ?? '')?.[1] ?? '';
      const [, ...password] = written.split(':');
      return [written, password.join(':')].flatMap(part => [part, decoded(part) ?? '']);
    });
  return withoutSecret(text, ...secrets);
}

/**
 * Entries of NO_PROXY, apart by commas or blanks: a host, which stands for those below it too (with or without a dot or *.
 * in front), either with a port; an IP address or a range of them (10.0.0.0/8); or * for all.
 */
function isExempt({ hostname, port, protocol }: URL, noProxy: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some(entry => {
      if (entry === '') return false;
      if (entry === '*') return true;
      if (entry.includes('/')) return isInRange(host, entry);
      const [, name, wantedPort] = /^(?:\[(?=.*\]))?(.*?)\]?(?::(\d+))?$/.exec(
        isIP(entry) === 6 ? `[${entry}]` : entry,
      )!;
      if (wantedPort !== undefined && wantedPort !== ownPort) return false;
      const domain = name!.replace(/^\*?\./, '');
      return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
    });
}

function isInRange(host: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    return false;
  }
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, Number(bits), type);
  return list.check(host, type);
}

const straight = new Agent();
const agents = new Map<string, Dispatcher>();

/** Sends each request the way that its own address has, redirects included. */
class Ways extends Dispatcher {
  constructor(private readonly environment: Environment) {
    super();
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandlers): boolean {
    const proxy = proxyFor(new URL(String(options.origin)), this.environment);
    return agentOf(proxy).dispatch(options, handler);
  }
}

/** One for each proxy, so that connections are used again. */
function agentOf(proxy: Proxy | null): Dispatcher {
  if (proxy === null) return straight;
  const { href: uri } = proxy.url;
  const agent = agents.get(uri) ?? new ProxyAgent({ uri, proxyTunnel: false });
  agents.set(uri, agent);
  return agent;
}

/** What undici's requests go through, so that proxies are minded. */
export const throughProxies = (environment: Environment): Dispatcher => new Ways(environment);

/** fetch that minds proxies, as libraries take it. */
export function proxiedFetch(environment: Environment): typeof fetch {
  const dispatcher = throughProxies(environment);
  // The same interface, of the package that Node's own comes from.
  const through = fetchThrough as unknown as (url: unknown, init: object) => Promise<Response>;
  return (url, init) => through(url, { ...init, dispatcher });
}
