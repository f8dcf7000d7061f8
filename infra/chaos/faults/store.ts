/** The store that the workers share: away, and where it is a server's, slow, failing, cut off in the middle, or killed. */
import type { StoreLink, Trouble } from '../store-link.js';
import { AT_ONCE, between, type FaultKind, later } from './fault.js';

export const loseStore: FaultKind = async ({ cluster: { store } }, fault) => {
  const seconds = between(1, 5, fault);
  const bringBack = await store.lose();
  return { what: `for ${seconds.toFixed(1)} s`, over: later(seconds, bringBack) };
};

export const slowStore: FaultKind = async ({ cluster: { store } }, fault) => {
  const ms = Math.round(100 + 900 * fault.target);
  const seconds = between(2, 8, fault);
  return troubled(
    store.link,
    { kind: 'slow', ms },
    `${ms} ms before each answer, for ${seconds.toFixed(1)} s`,
    seconds,
  );
};

export const failStore: FaultKind = async ({ cluster: { store } }, fault) => {
  const [status, ofTen] = [fault.target < 0.5 ? 500 : 503, 3 + Math.floor(fault.target * 8)] as const;
  const seconds = between(1, 6, fault);
  const what = `${status} to ${10 * ofTen} % of the requests, for ${seconds.toFixed(1)} s`;
  return troubled(store.link, { kind: 'failing', status, ofTen }, what, seconds);
};

export const cutUploads: FaultKind = async ({ cluster: { store } }, fault) => {
  const bytes = fault.target < 0.5 ? 100 : 64 << 10;
  const seconds = between(1, 6, fault);
  const what = `after ${bytes} bytes, for ${seconds.toFixed(1)} s`;
  return troubled(store.link, { kind: 'cutting', bytes }, what, seconds);
};

export const killStore: FaultKind = async ({ cluster: { store } }) =>
  store.kill?.() ? { what: "the store's server", over: AT_ONCE } : null;

function troubled(link: StoreLink | undefined, trouble: Trouble, what: string, seconds: number): ReturnType<FaultKind> {
  link?.make(trouble);
  return Promise.resolve(link ? { what, over: later(seconds, () => link.mend()) } : null);
}
