/** What tests ask of the page's server. */

/** Answers as the pages read them: what is asked of them is in the tests. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
export type Json = any;

/** @param address of the server, as it is now */
export function uiClient(address: () => string) {
  async function ask(path: string) {
    const response = await fetch(address() + path);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
  }

  /** Once all that is read in the background is there. */
  async function settled(path: string): Promise<Json> {
    for (let tries = 0; tries < 100; tries++) {
      const { body } = await ask(path);
      if (body.missing === 0) return body;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error(`${path} is still being read`);
  }

  return { ask, settled };
}
