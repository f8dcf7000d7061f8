/** Who may ask, and what a browser may do with the answer. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Scripts and styles of this server alone, none within pages; no page of another may frame, embed or read an answer. What
 * a model wrote could not run even if it were taken for markup.
 */
export const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/**
 * Why a request is refused, or null. A page of another site reaches this server by a name of its own that it has pointed
 * here (DNS rebinding): so a name must be ours, while an address cannot be pointed anywhere.
 * @param names host names that are ours beside localhost
 */
export function refusal({ headers }: Pick<IncomingMessage, 'headers'>, names: readonly string[]): string | null {
  const host = hostOf(headers.host);
  if (host === null) return 'expected a Host header that names this server';
  if (host !== 'localhost' && !names.includes(host) && isIP(host) === 0) {
    return `the host "${host}" is not this server's; expected localhost, an address, or the name given with --host`;
  }
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
    return `a page of ${headers.origin} may not ask this server`;
  }
  return null;
}

/** Without the port, and an IPv6 address without its brackets. */
function hostOf(header: string | undefined): string | null {
  const [, address, name] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::\d+)?$/i.exec(header ?? '') ?? [];
  return address ?? name?.toLowerCase() ?? null;
}
