/** From a sample to the text of its prompt. */
import type { Sample } from '../datasets/index.js';

/** The documents one after another, each under its title, a blank line between; numbered from "[1]" where they may be cited. */
export function documentsText({ documents }: Pick<Sample, 'documents'>, numbered: boolean): string {
  return documents
    .map(({ title, text }, k) => {
      const heading = [...(numbered ? [`[${k + 1}]`] : []), ...(title === null ? [] : [title])].join(' ');
      return heading === '' ? text : `${heading}\n${text}`;
    })
    .join('\n\n');
}

/** Fills in {document} and {question}, each wherever it stands; what is filled in is not searched again. */
export function renderPrompt(template: string, question: string, document: string): string {
  return template.replace(/\{(document|question)\}/g, (_, field) => (field === 'document' ? document : question));
}
