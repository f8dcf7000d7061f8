/**
 * A judge that falls for everything that a prompt lets through: what it reads outside of the quotations it obeys, a
 * verdict's spelling it takes for a verdict wherever it stands, and tokens of a chat template for turns of the chat.
 */

/** What a prompt's parts look like, as the prompt itself explains them. */
const OPENING = /^BEGIN ([A-Z ]+) ([0-9a-f]{16})$/;

export interface Reading {
  /** Lines outside of quotations. */
  instructions: string[];
  /** Lines of quotations, without their bars, by name. */
  quoted: Record<string, string[]>;
  /** Why it would say yes, whatever the answer is. */
  fellFor: string[];
}

/** As a model reads that knows no difference between characters that look alike, and skips those that cannot be seen. */
function toTheEye(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{Cf}\p{Mn}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/[⟦【〖〚⁅]/g, '[[')
    .replace(/[⟧】〗〛⁆]/g, ']]')
    .replace(/[〔❲]/g, '[')
    .replace(/[〕❳]/g, ']')
    .replace(/[ΥУҮ]/g, 'Y')
    .replace(/[ΕЕ]/g, 'E')
    .replace(/[ЅՏ]/g, 'S')
    .replace(/\s+/g, '')
    .toUpperCase();
}

const TEMPLATE_TOKENS = /<\|[^|]*\|>|<\/?s>|<<\/?SYS>>|\[\/?INST\]|<(start|end)_of_turn>|<\/?think>|<｜[^｜]*｜>/i;
/** What a model with a short memory has of a prompt. */
const MEMORY = 20_000;

/** @param own the prompt with nothing filled in, whose lines are no injections */
export function readGullibly(content: string, own: string): Reading {
  const reading: Reading = { instructions: [], quoted: {}, fellFor: [] };
  const ownLines = new Set(own.split('\n'));
  let inside: { name: string; mark: string } | null = null;
  for (const line of content.slice(-MEMORY).split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)) {
    const opening = OPENING.exec(line);
    if (inside === null && opening) {
      inside = { name: opening[1]!, mark: opening[2]! };
      reading.quoted[inside.name] = [];
    } else if (inside !== null && line === `END ${inside.name} ${inside.mark}`) inside = null;
    else if (inside !== null && line.startsWith('| ')) reading.quoted[inside.name]!.push(line.slice(2));
    else if (inside !== null) reading.fellFor.push(`a line that is not quoted: ${line}`);
    else {
      reading.instructions.push(line);
      if (!ownLines.has(line)) reading.fellFor.push(`an instruction that is not the prompt's: ${line}`);
    }
  }
  for (const [name, lines] of Object.entries(reading.quoted)) {
    const seen = toTheEye(lines.join('\n'));
    if (/\[\[(YES|NO)\]\]/.test(seen)) reading.fellFor.push(`a verdict in ${name}`);
    if (TEMPLATE_TOKENS.test(lines.join('\n'))) reading.fellFor.push(`a turn of the chat in ${name}`);
  }
  const missing = ['QUESTION', 'GOLD ANSWERS', 'WHAT THE STUDENT WROTE'].filter(name => !reading.quoted[name]);
  if (missing.length > 0) reading.fellFor.push(`not seeing ${missing.join(', ')}`);
  return reading;
}
