/** In which fields two specs differ. */
import { canonicalJson } from '../store/index.js';

/** Dotted paths of all differing fields; none if the two say the same. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  if (canonicalJson(a) === canonicalJson(b)) return [];
  const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isRecord(a) || !isRecord(b)) return [path];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap(key =>
    differences(a[key], b[key], path === '' ? key : `${path}.${key}`),
  );
}
