/** Every word of the tiny world. Its tokenizer has one token for each, so the lists are part of the shipped base model: their order is its ids. */

export const PEOPLE =
  'Adam Alice Amir Anna Boris Carla Chen Clara Dana David Elena Emil Erik Eva Felix Fiona Greta Hana Hugo Igor Ines Ivan Jana Jonas Julia Karim Lars Lena Leo Lucia Marco Maria Mila Nadia Nils Nora Olga Omar Oscar Paula Pedro Petra Rosa Samir Sara Simon Sofia Tarek Theo Vera'.split(
    ' ',
  );

export const PLACES =
  'Accra Athens Berlin Bogota Cairo Dakar Delhi Dublin Geneva Hanoi Havana Kyoto Lima Lisbon London Madrid Milan Nairobi Oslo Paris Prague Quito Riga Rome Seoul Tallinn Tokyo Tunis Vienna Warsaw'.split(
    ' ',
  );

/** Relations from a person to a person. */
export const PERSON_VERBS = 'trusts helps admires teaches'.split(' ');

/** Relations from a person to a place. */
export const PLACE_VERBS = 'visits likes left'.split(' ');

/** What questions, responses and the prompt template are made of besides names and relations. */
export const FUNCTION_WORDS = 'Q: A: Therefore the answer is someone who whom where'.split(' ');
