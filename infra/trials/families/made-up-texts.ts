/** Texts enough for thousands of questions, the same on every machine: names, and words that nobody expects in their order. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

const SYLLABLES = ['Mar', 'Kur', 'Ish', 'Que', 'Dor', 'Cas', 'Lin', 'Bel', 'Tov', 'Wen'];
const WORDS =
  'river sails a letter came before noon and nobody knew which of them had written it so late in that year'.split(' ');

/** Numbers by their place alone: no library decides them. */
function numbers(name: string): (bound: number) => number {
  let block = 0;
  let bytes: Buffer = Buffer.alloc(0);
  return bound => {
    if (bytes.length < 4) bytes = createHash('sha256').update(`${name}/${block++}`).digest();
    const value = bytes.readUInt32LE(0);
    bytes = bytes.subarray(4);
    return value % bound;
  };
}

export async function writeTexts(path: string, count: number): Promise<void> {
  const file = createWriteStream(path);
  for (let k = 0; k < count; k++) {
    const below = numbers(`text ${k}`);
    const name = () => SYLLABLES[below(10)]! + SYLLABLES[below(10)]!.toLowerCase();
    const sentence = () =>
      `${name()} ${Array.from({ length: 7 + below(6) }, () => WORDS[below(WORDS.length)]).join(' ')}.`;
    const paragraphs = Array.from({ length: 9 + below(4) }, () => `${sentence()} ${sentence()}`);
    file.write(`${JSON.stringify({ title: `Text ${k}`, text: paragraphs.join('\n\n') })}\n`);
  }
  file.end();
  await finished(file);
}
