/** What a response says, as opposed to thinks. */

/** The text after the last </think>, or all of it where nothing is thought; null where thinking does not end. */
export function saidIn(response: string): string | null {
  const thoughtEnd = response.lastIndexOf('</think>');
  if (thoughtEnd >= 0) return response.slice(thoughtEnd + '</think>'.length);
  return response.includes('<think>') ? null : response;
}
