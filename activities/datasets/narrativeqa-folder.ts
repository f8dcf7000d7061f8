/** NarrativeQA's folder from GitHub, as records in the Hub's layout: tables and story files brought together. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { readRecords } from './containers.js';
import type { DataFile } from './data-files.js';
import { checked, DataError, type RawRecord, RecordError } from './records.js';

const SUMMARIES = ['third_party', 'wikipedia', 'summaries.csv'];

const documentSchema = z.object({ document_id: z.string().min(1), wiki_title: z.string().optional() });
const summarySchema = z.object({ document_id: z.string().min(1), summary: z.string().min(1) });
const questionSchema = z.object({
  document_id: z.string().min(1),
  set: z.string(),
  question: z.string(),
  answer1: z.string(),
  answer2: z.string().optional(),
});

type Options = { use: 'story' | 'summary'; split?: string | undefined };
type Opened = (file: DataFile) => Promise<void>;

/** The files' own records where there is no qaps.csv among them. Throws DataError where a table is missing. */
export async function* narrativeqaFolder(
  files: DataFile[],
  options: Options,
  opened: Opened,
): AsyncGenerator<RawRecord> {
  const questions = files.find(({ path }) => basename(path) === 'qaps.csv');
  if (questions) yield* joined(questions, options, opened);
  else {
    for (const file of files) await opened(file);
    for (const file of files) yield* readRecords(file, ['document', 'question', 'answers']);
  }
}

async function* joined(questions: DataFile, { use, split }: Options, opened: Opened): AsyncGenerator<RawRecord> {
  const beside = (...names: string[]): DataFile => ({
    path: join(dirname(questions.path), ...names),
    name: join(dirname(questions.name), ...names),
  });
  await opened(questions);
  // Told of behind the questions, which are named by their places.
  const broken: RawRecord[] = [];
  const titles = new Map<string, string | undefined>();
  for await (const row of rows(documentSchema, table(beside('documents.csv'), opened), broken)) {
    titles.set(row.document_id, row.wiki_title);
  }
  const summaries = new Map<string, string>();
  if (use === 'summary') {
    for await (const row of rows(summarySchema, table(beside(...SUMMARIES), opened), broken)) {
      summaries.set(row.document_id, row.summary);
    }
  }
  // A document's questions follow one another: one story is held at a time.
  let story: { id: string; text: string | null } | undefined;
  for await (const raw of readRecords(questions)) {
    try {
      const { document_id: id, set, question, answer1, answer2 } = checked(questionSchema, raw);
      const wanted = use === 'story' && (split === undefined || set === split);
      if (wanted && story?.id !== id) story = { id, text: await storyOf(beside('tmp', `${id}.content`), opened) };
      if (wanted && story?.text === null) {
        throw new RecordError(
          raw.where,
          `expected the story in ${beside('tmp', `${id}.content`).name}: run download_stories.sh there, or take use: summary`,
        );
      }
      const document = {
        id,
        split: set,
        summary: { title: titles.get(id), text: summaries.get(id) },
        ...(wanted ? { text: story!.text } : {}),
      };
      const answers = [answer1, answer2].filter(text => text !== undefined).map(text => ({ text }));
      yield { ...raw, value: { document, question: { text: question }, answers } };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      yield { where: raw.where, index: raw.index, problem: error.problem };
    }
  }
  yield* broken;
}

/** A table's rows; those that are malformed are put aside. */
async function* rows<T extends z.ZodType>(
  schema: T,
  table: AsyncIterable<RawRecord>,
  broken: RawRecord[],
): AsyncGenerator<z.output<T>> {
  for await (const raw of table) {
    try {
      yield checked(schema, raw);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      broken.push({ where: raw.where, index: raw.index, problem: error.problem });
    }
  }
}

async function* table(file: DataFile, opened: Opened): AsyncGenerator<RawRecord> {
  if (!(await there(file))) {
    throw new DataError(
      `${file.name}: expected the whole folder from github.com/google-deepmind/narrativeqa; it is missing`,
    );
  }
  await opened(file);
  yield* readRecords(file);
}

/** Its text, in UTF-8 or, as some of the books are, in Windows' Latin code page; null where it was not fetched. */
async function storyOf(file: DataFile, opened: Opened): Promise<string | null> {
  if (!(await there(file))) return null;
  await opened(file);
  const bytes = await readFile(file.path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function there({ path }: DataFile): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}
