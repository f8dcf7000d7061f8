/** In which fields two specs differ. */
import { canonicalJson } from '../store/index.js';

/** Earlier versions filled in a number; left open it is as long as it needs to be, and no other question. */
const isLeftOpen = (key: string, value: unknown): boolean => key === 'timeoutSeconds' && value === undefined;

const isEndpoint = (value: object): boolean => 'url' in value || 'module' in value;

/** Dotted paths of all fields in which `b`, that is wanted, differs from `a`, that is there; none if the two say the same. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  if (canonicalJson(a) === canonicalJson(b)) return [];
  const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isRecord(a) || !isRecord(b)) return [path];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter(key => !(isEndpoint(b) && isLeftOpen(key, b[key])))
    .flatMap(key => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
}
