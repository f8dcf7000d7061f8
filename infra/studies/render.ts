/** A study's report in the formats that it can be had in. */
import type { StudyReport } from '../../activities/studies/index.js';
import { columns } from '../view/columns.js';
import { chart } from './chart.js';
import { missingOf, type ReportTable, summaryOf, tablesOf } from './tables.js';

export const REPORT_FORMATS = ['text', 'markdown', 'json', 'svg'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** @param place of the published report, in words; null where it is not published */
export function renderReport(report: StudyReport, format: ReportFormat, place: string | null): string {
  return RENDERED[format](report, place);
}

const RENDERED: Record<ReportFormat, (report: StudyReport, place: string | null) => string> = {
  text: (report, place) => {
    const tables = tablesOf(report).flatMap(table => ['', table.title, ...wrapped(table.note), ...asText(table)]);
    return `${[...summaryOf(report), ...missingOf(report), ...tables, ...(place ? ['', `Numbers with their hashes: ${place}`] : [])].join('\n')}\n`;
  },
  markdown: (report, place) => {
    const tables = tablesOf(report).flatMap(table => [`## ${table.title}`, table.note, asMarkdown(table)]);
    const parts = [
      `# ${report.study}`,
      [...summaryOf(report), ...missingOf(report)].join(' '),
      ...tables,
      `## Runs`,
      runs(report),
    ];
    return `${[...parts, ...(place ? [`Numbers with their hashes: \`${place}\``] : [])].join('\n\n')}\n`;
  },
  json: report => `${JSON.stringify(report, null, 1)}\n`,
  svg: report => chart(report),
};

const WIDTH = 100;

function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

function asText({ head, rows, none }: ReportTable): string[] {
  if (rows.length === 0) return [`  ${none}`];
  return columns([head, ...rows]).map(line => `  ${line}`);
}

function asMarkdown({ head, rows, none }: ReportTable): string {
  if (rows.length === 0) return none;
  const line = (cells: string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The final weights, by which whoever repeats it sees whether it was the same. */
function runs({ cells }: StudyReport): string {
  const rows = cells.map(({ run, policy, result }) => [
    run,
    `\`${policy.sha256}\``,
    `\`${result.sha256.slice(0, 16)}\``,
  ]);
  return asMarkdown({
    title: '',
    note: '',
    head: ['run', 'SHA-256 of the final weights', 'of its result'],
    rows,
    none: 'None has ended.',
  });
}
