const LONGEST = 200;
/** What is deeper says nothing to who reads a message. */
const DEEPEST = 50;

/** A value of a file for messages about it: as JSON, its beginning where that is long. */
export function shown(value: unknown): string {
  if (deeper(value, DEEPEST)) return 'nested too deeply to be shown';
  const text = JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} …`;
}

function deeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some(inner => deeper(inner, depth - 1));
}
