/** Samples made up for tests: questions over a few short documents each, in words that are a token each. */
import type { PromptMeasure } from '../../activities/datasets/distractors.js';
import type { Sample } from '../../activities/datasets/sample.js';
import { documentsText } from '../../activities/text/prompts.js';

const TOWNS = [
  'Bergen',
  'Voss',
  'Oslo',
  'Tromsø',
  'Molde',
  'Hamar',
  'Narvik',
  'Moss',
  'Skien',
  'Bodø',
  'Alta',
  'Horten',
];

/** Question k asks for one of twelve towns, which its second document names, and no. `count` questions share them evenly. */
export function townSamples(count: number): Sample[] {
  return Array.from({ length: count }, (_, k) => ({
    id: `q${k}`,
    question: `In which town was painter number ${k} born?`,
    documents: [
      { title: `Painting ${k}`, text: `This is painting ${k}. It shows ships. Painter number ${k} made it.` },
      { title: `Painter ${k}`, text: `Painter number ${k} was born in ${TOWNS[k % TOWNS.length]}. Nobody knows when.` },
      { title: null, text: `The gallery has ${k + 3} rooms. ${'It is open all day. '.repeat(k % 4)}Entry is free.` },
    ],
    answers: [TOWNS[k % TOWNS.length]!],
    task: 'docqa',
    trace: `Painter number ${k} was born there. Therefore, the answer is ${TOWNS[k % TOWNS.length]}.`,
    evidence: [0, 1],
  }));
}

const words = (text: string): number => text.match(/\S+/g)?.length ?? 0;

/** A token a word, and five for the template around document and question. */
export const wordMeasure: PromptMeasure = {
  promptTokens: sample => 5 + words(documentsText(sample, false)) + words(sample.question),
  documentTokens: document => words(document.title ?? '') + words(document.text),
};
