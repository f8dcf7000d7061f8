const LONGEST = 200;

/** A value of a file for messages about it: as JSON, its beginning where that is long. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    // JSON is read at any depth, and not written.
    return 'nested too deeply to be shown';
  }
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} …`;
}
