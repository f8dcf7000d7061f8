/** From a sample to the text of its prompt. */
import type { Sample } from './datasets/sources.js';

/** The documents one after another, each under its title, a blank line between. */
export function documentsText(sample: Pick<Sample, 'documents'>): string {
  return sample.documents.map(({ title, text }) => (title === null ? text : `${title}\n${text}`)).join('\n\n');
}

/** Fills in {document} and {question}, each wherever it stands; what is filled in is not searched again. */
export function renderPrompt(template: string, question: string, document: string): string {
  return template.replace(/\{(document|question)\}/g, (_, field) => (field === 'document' ? document : question));
}
