import type { PromptItem } from './formats.js';

/** What a question counts as, where steps are balanced by tasks or advantages scaled by them. */
export const taskOf = ({ task, taskName }: Pick<PromptItem, 'task' | 'taskName'>): string => taskName ?? task;
