/** Answers of which several things have to be right, as one gold: metrics take them apart again. */

/** Between the answers of a question that has several, all of them to be found. */
export const ANSWER_SEPARATOR = ', ';

/** Between what a response has to begin with and the text that has to follow. */
export const MARK_END = '\n';
