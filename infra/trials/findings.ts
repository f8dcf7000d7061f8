/**
 * What a trial found: printed, and with a page of the documentation written between the marks there that bear its name, so
 * that no number gets there by hand:
 *
 *   <!-- trial NAME -->
 *   …
 *   <!-- end of trial NAME -->
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import type { Command } from 'commander';
import { asMarkdown, asText, type Table } from '../bench/table.js';
import { UserError } from '../user-error.js';

export interface Finding {
  /** As in the marks of a page. */
  name: string;
  table: Table;
  /** Sentences below the table. */
  remarks?: readonly string[];
  /** Whether all is as it has to be. */
  holds: boolean;
}

export interface PageFlags {
  page?: string;
}

const loadBefore = loadavg()[0]!;

export function withPageFlag(command: Command): Command {
  return command.option(
    '--page <file>',
    'write the tables into this page too, between the marks that bear their names',
  );
}

/** Prints what was found; the process ends with 1 unless all holds. @throws UserError for a page without the marks */
export async function tell(findings: readonly Finding[], { page }: PageFlags): Promise<void> {
  const asked = process.stdout.isTTY ? asText : asMarkdown;
  for (const { table, remarks = [], holds } of findings)
    process.stdout.write(`${paragraphs(asked(table), remarks.join('\n'), holds ? 'HOLDS' : 'DOES NOT HOLD')}\n\n`);
  if (!findings.every(({ holds }) => holds)) process.exitCode = 1;
  if (!page) return;
  let text = await readFile(page, 'utf8');
  for (const { name, table, remarks = [], holds } of findings) {
    const verdict = holds ? '' : '**This does not hold.**';
    text = withSection(text, name, paragraphs(asMarkdown(table), verdict, remarks.join('\n'), surroundings()));
  }
  await writeFile(page, text);
}

const paragraphs = (...texts: string[]): string => texts.filter(Boolean).join('\n\n');

/** @throws UserError where the page has no such marks */
export function withSection(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- trial ${name} -->\n`, `\n<!-- end of trial ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new UserError(`the page has no place for it: expected ${begin.trim()} … ${end.trim()}`);
  return `${page.slice(0, from + begin.length)}\n${content}\n${page.slice(to)}`;
}

function surroundings(): string {
  const date = new Date().toISOString().slice(0, 10);
  return `On ${date}, on ${availableParallelism()} cores, with a load of ${loadBefore.toFixed(1)} when it began.`;
}
