/** Texts brought to a form in which equal ones are equal. */

/** Latin letters that Unicode does not take apart into a letter and an accent. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ı: 'i',
};

/** Printable ASCII has no other forms. */
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Lower case and Unicode's compatibility forms, without what cannot be seen. Vulgar fractions and raised digits keep apart
 * from the digit before them, which NFKC would join: 5½ is "5 1⁄2", 10³ is "10^3".
 */
export function folded(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  return text
    .replaceAll(/(?<=\d)(?=[¼-¾⅐-⅞])/g, ' ')
    .replaceAll(/(?<=\d)(?=[⁺⁻]?[⁰¹²³⁴-⁹])/g, match => `${match}^`)
    .replaceAll(/(?<=[⁰¹²³⁴-⁹⁺⁻])\^(?=[⁰¹²³⁴-⁹])/g, '')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\p{Cf}\p{Cc}]/gu, control => (/\s/.test(control) ? ' ' : ''));
}

/**
 * Folded, Latin letters without their accents, no punctuation, no articles, single blanks: what must be equal for two texts
 * to be. Signs and separators inside numbers stay meaningful ("-5" is not "5", "10.1" not "101", "1,987" is "1987", "3:2" not
 * "32"), hyphens between words are blanks, "C#" is not "C", and an answer that is an article alone ("A") stays what it is.
 */
export function normalise(text: string): string {
  const words = withoutAccents(folded(text))
    .replaceAll(/(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])/g, number => number.replaceAll(',', ''))
    .replaceAll(/(?<![\p{L}\p{N}])[-−–](?=\.?\d)/gu, '\u0001')
    .replaceAll(/(?<=\d)\.(?=\d)|(?<![\p{L}\p{N}])\.(?=\d)/gu, '\u0002')
    .replaceAll(/(?<=\p{L})#/gu, '\u0003')
    .replaceAll(/[\p{Pd}/]/gu, ' ')
    .replaceAll(/(?<=\d)[\p{P}\p{Sc}\p{Sk}]+(?=\d)/gu, ' ')
    .replaceAll(/[\p{P}\p{Sc}\p{Sk}]/gu, '')
    .replaceAll('\u0001', '-')
    .replaceAll('\u0002', '.')
    .replaceAll('\u0003', '#')
    .split(/\s+/)
    .filter(word => word !== '');
  const content = words.filter(word => word !== 'a' && word !== 'an' && word !== 'the');
  return (content.length > 0 ? content : words).join(' ');
}

/** Of Latin letters only: in other scripts a mark makes another letter. */
function withoutAccents(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII has no accents
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return text
    .normalize('NFD')
    .replaceAll(/(\p{Script=Latin})\p{Mn}+/gu, '$1')
    .normalize('NFC')
    .replaceAll(/[øłđðþßæœı]/g, letter => PLAIN_LETTERS[letter]!);
}
