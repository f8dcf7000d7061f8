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
export const renderPrompt = (template: string, question: string, document: string): string =>
  renderTemplate(template, { question, document });

/** Fills in the fields that are given, by their names in braces. */
export function renderTemplate(template: string, fields: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(fields, name) ? fields[name]! : whole));
}
