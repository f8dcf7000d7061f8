/** Colours, where the output is a terminal that wants them (https://no-color.org). */

export interface Style {
  good(text: string): string;
  bad(text: string): string;
  busy(text: string): string;
  quiet(text: string): string;
  strong(text: string): string;
}

const CODES: Record<keyof Style, number> = { good: 32, bad: 31, busy: 36, quiet: 2, strong: 1 };

const styleOf = (paint: (code: number) => (text: string) => string): Style =>
  Object.fromEntries(Object.entries(CODES).map(([name, code]) => [name, paint(code)])) as unknown as Style;

export const COLOURED = styleOf(code => text => (text === '' ? '' : `\x1b[${code}m${text}\x1b[0m`));
export const PLAIN = styleOf(() => text => text);

export function styleFor({ isTTY }: { isTTY?: boolean }, environment: NodeJS.ProcessEnv = process.env): Style {
  return isTTY && !environment.NO_COLOR ? COLOURED : PLAIN;
}
