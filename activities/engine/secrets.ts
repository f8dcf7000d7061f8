/** Keeps keys and tokens where they belong: in the environment of the process that sends them, and nowhere else. */

/** Shorter ones are no secrets but placeholders, such as vLLM's EMPTY, and may well stand in a reply. */
const SHORTEST_SECRET = 12;

/** The text with `[key]` in a secret's place, however servers spell it: as it is, or escaped for JSON, HTML or addresses. */
export function withoutSecret(text: string, ...secrets: (string | null | undefined)[]): string {
  return secrets
    .map(secret => secret?.trim() ?? '')
    .filter(key => key.length >= SHORTEST_SECRET)
    .reduce((rest, key) => rest.replace(spelt(key), '[key]'), text);
}

/** Any spelling of the key: which characters are escaped differs from one library to the next. */
function spelt(key: string): RegExp {
  const characters = [...key].map(c => {
    const code = c.charCodeAt(0);
    const hex = code.toString(16).replaceAll(/[a-f]/g, digit => `[${digit}${digit.toUpperCase()}]`);
    const numbers = [`\\\\u00${hex}`, `%${hex}`, `&#${code};`, `&#[xX]${hex};`].join('|');
    const named = NAMED[c] ? `|${NAMED[c]}` : '';
    return /\w/.test(c) ? `(?:${c}|${numbers})` : `(?:\\\\?\\${c}|${numbers}${named})`;
  });
  return new RegExp(characters.join(''), 'g');
}

const NAMED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Names that speak of what others must not see. */
const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|WEBHOOK|AUTH/i;

export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** What a process may be given that talks to nobody: its crash report would hold all of its environment. */
export function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isSecretName(name)));
}
