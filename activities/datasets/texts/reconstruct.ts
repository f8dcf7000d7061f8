/**
 * Document reconstruction (arXiv 2602.08237): paragraphs are taken out of a text, and the answer puts them back. They are
 * listed in random order, so that only the text around the gaps tells which goes where.
 */
import { draws, type RandomStream, shuffled } from '../../engine/random.js';
import { conclusion } from '../multihop.js';
import type { Document } from '../sample.js';
import type { Family, FamilyOptions } from './family.js';
import { paragraphsOf } from './paragraphs.js';

/** None that is a word by itself: "A" at the head of an answer is taken for an article. */
const LETTERS = 'PQRSTUVWXY';
export const MOST_PIECES = LETTERS.length;

export const reconstruct: Family = {
  about: 'one',
  question([text], random, { pieces }) {
    const { title, text: whole } = text as Document;
    const paragraphs = paragraphsOf(whole);
    // The first stays: a text begins with what the rest is told by. Equal paragraphs could not be told apart.
    if (paragraphs.length < 2 * pieces + 1 || new Set(paragraphs).size < paragraphs.length) return null;
    const taken = gaps(paragraphs.length, pieces, random);
    const listed = shuffled(taken, random);
    const answer = taken.map(place => LETTERS[listed.indexOf(place)]!).join(', ');
    const left = paragraphs.map((paragraph, place) => {
      const gap = taken.indexOf(place);
      return gap < 0 ? paragraph : `[gap ${gap + 1}]`;
    });
    const options = listed.map((place, k) => `${LETTERS[k]}. ${paragraphs[place]}`);
    return {
      question:
        `${pieces} paragraphs of the text were taken out; [gap 1] to [gap ${pieces}] stand in their places. They are listed ` +
        'here in another order. Answer with their letters in the order of the gaps, separated by commas.\n\n' +
        options.join('\n\n'),
      documents: [{ title, text: left.join('\n\n') }],
      answers: [answer, answer.replaceAll(',', ''), answer.replaceAll(', ', '')],
      task: 'docqa',
      trace: `${taken.map((place, k) => `Gap ${k + 1} is paragraph ${LETTERS[listed.indexOf(place)]}.`).join(' ')} ${conclusion(answer)}`,
      evidence: [0],
    };
  },
};

/** Places, in order, no two of them side by side and none the first, so that each gap has text before it. */
function gaps(paragraphs: number, pieces: FamilyOptions['pieces'], random: RandomStream): number[] {
  // Drawn among places that the others' spacing leaves over, then spread apart again.
  const free = paragraphs - 1 - (pieces - 1);
  const drawn: number[] = [];
  for (const place of draws(free, random)) if (drawn.push(place) === pieces) break;
  return drawn.sort((a, b) => a - b).map((place, k) => 1 + place + k);
}
