/** A prompt as a reader takes it in: what is asked, and the documents one by one, each to be unfolded. */

export interface PromptPart {
  kind: 'text' | 'document';
  text: string;
  /** Of a document: its number, where documents are numbered. */
  number: number | null;
  isEvidence: boolean;
}

export interface PromptShape {
  template: string;
  numbered: boolean;
  /** Numbers of the documents that the answer rests on, where that is known. */
  evidence: readonly number[];
}

/** Of what stands beside the documents in the template, so much is looked for: a chat template may have changed the rest. */
const CLUE = 24;
/** A part that is shorter is not worth folding. */
const SHORT = 200;

export function promptParts(prompt: string, { template, numbered, evidence }: PromptShape): PromptPart[] {
  const place = documentPlace(prompt, template);
  if (!place) return [plain(prompt)];
  const { from, to } = place;
  const documents = documentsIn(prompt.slice(from, to), numbered).map((text): PromptPart => {
    const number = numbered ? Number(/^\[(\d+)\]/.exec(text)?.[1] ?? Number.NaN) : Number.NaN;
    const known = Number.isNaN(number) ? null : number;
    return { kind: 'document', text, number: known, isEvidence: known !== null && evidence.includes(known) };
  });
  const folded = to - from < SHORT ? [plain(prompt.slice(from, to))] : documents;
  return joined([plain(prompt.slice(0, from)), ...folded, plain(prompt.slice(to))]);
}

const plain = (text: string): PromptPart => ({ kind: 'text', text, number: null, isEvidence: false });

/** Parts without text left out, and texts in a row as one. */
function joined(parts: readonly PromptPart[]): PromptPart[] {
  const all: PromptPart[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (part.text === '') continue;
    if (last?.kind === 'text' && part.kind === 'text') last.text += part.text;
    else all.push({ ...part });
  }
  return all;
}

/** Where the documents stand, by what the template has before and after them; null where that is not found. */
function documentPlace(prompt: string, template: string): { from: number; to: number } | null {
  const at = template.indexOf('{document}');
  if (at < 0) return null;
  const before = template
    .slice(Math.max(0, at - CLUE), at)
    .split(/\{(?:document|question)\}/)
    .at(-1)!;
  const after = template
    .slice(at + '{document}'.length)
    .split(/\{(?:document|question)\}/)[0]!
    .slice(0, CLUE);
  const start = before === '' ? 0 : prompt.indexOf(before);
  if (start < 0) return null;
  const from = start + before.length;
  const to = after === '' ? prompt.length : prompt.lastIndexOf(after);
  return to < from ? null : { from, to };
}

/** Numbered ones begin with their number; of others no more is known than the blank lines between them. */
function documentsIn(text: string, numbered: boolean): string[] {
  return text.split(numbered ? /\n\n(?=\[\d+\])/ : /\n\n/).filter(part => part.trim() !== '');
}
