/** Numbers on the command line, refused with what was expected. */
import { InvalidArgumentError } from 'commander';

function number(accept: (value: number) => boolean, expected: string): (text: string) => number {
  return text => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && accept(value)) return value;
    throw new InvalidArgumentError(`Expected ${expected}.`);
  };
}

export const atLeastOne = number(x => Number.isInteger(x) && x >= 1, 'a whole number, 1 or more');
export const wholeNumber = number(x => Number.isInteger(x) && x >= 0, 'a whole number, 0 or more');
export const zeroOrMore = number(x => x >= 0, 'a number, 0 or more');
export const positive = number(x => x > 0, 'a number above 0');
export const share = number(x => x >= 0 && x <= 1, 'a number from 0 to 1');
export const nucleus = number(x => x > 0 && x <= 1, 'a number above 0, at most 1');
