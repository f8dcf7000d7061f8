/** Units by all their names: what may be left out of an answer without changing it, and what may not be another. */

/** Canonical name: other names; a plural s is understood. */
const UNITS: Readonly<Record<string, readonly string[]>> = {
  '%': ['percent', 'per cent', 'pct', 'percentage'],
  'percentage point': ['pp'],
  'basis point': ['bp', 'bps'],
  USD: ['$', 'us$', 'us dollar', 'u.s. dollar', 'dollar', 'american dollar'],
  AUD: ['a$', 'australian dollar'],
  CAD: ['c$', 'ca$', 'canadian dollar'],
  HKD: ['hk$', 'hong kong dollar'],
  cent: ['¢'],
  EUR: ['€', 'euro'],
  GBP: ['£', 'pound sterling', 'pounds sterling', 'british pound'],
  JPY: ['yen', 'japanese yen'],
  CNY: ['rmb', 'yuan', 'renminbi', 'chinese yuan'],
  '¥': [],
  INR: ['₹', 'rs', 'rs.', 'rupee', 'indian rupee'],
  KRW: ['₩', 'won'],
  CHF: ['swiss franc', 'fr.'],
  SGD: ['s$', 'singapore dollar'],
  NZD: ['nz$', 'new zealand dollar'],
  MXN: ['mx$', 'mexican peso'],
  BRL: ['r$', 'real', 'reais', 'brazilian real'],
  ZAR: ['rand', 'south african rand'],
  RUB: ['₽', 'ruble', 'rouble', 'russian ruble'],
  TRY: ['₺', 'lira', 'turkish lira'],
  PLN: ['zł', 'zloty', 'złoty'],
  SEK: ['swedish krona', 'swedish kronor'],
  NOK: ['norwegian krone', 'norwegian kroner'],
  DKK: ['danish krone', 'danish kroner'],
  pound: ['lb'],
  km: ['kilometer', 'kilometre'],
  m: ['meter', 'metre'],
  cm: ['centimeter', 'centimetre'],
  mm: ['millimeter', 'millimetre'],
  mi: ['mile'],
  ft: ['foot', 'feet'],
  in: ['inch', 'inches'],
  yd: ['yard'],
  kg: ['kilogram', 'kilo'],
  g: ['gram'],
  mg: ['milligram'],
  t: ['tonne', 'metric ton'],
  ton: [],
  oz: ['ounce'],
  l: ['liter', 'litre'],
  ml: ['milliliter', 'millilitre'],
  'cm^2': ['cm2', 'sq cm', 'square centimeter', 'square centimetre'],
  'm^3': ['m3', 'cubic meter', 'cubic metre'],
  'cm^3': ['cm3', 'cubic centimeter', 'cubic centimetre'],
  'm/s': ['meters per second', 'metres per second'],
  gallon: [],
  acre: [],
  hectare: ['ha'],
  'km^2': ['km2', 'sq km', 'square kilometer', 'square kilometre'],
  'm^2': ['m2', 'sq m', 'square meter', 'square metre'],
  'mi^2': ['mi2', 'sq mi', 'square mile'],
  'ft^2': ['ft2', 'sq ft', 'square foot', 'square feet'],
  'km/h': ['kmh', 'kph', 'kilometers per hour', 'kilometres per hour'],
  mph: ['miles per hour', 'mi/h'],
  '°C': ['degree celsius', 'degrees celsius', 'celsius', '℃'],
  '°F': ['degree fahrenheit', 'degrees fahrenheit', 'fahrenheit', '℉'],
  '°': ['degree', 'deg'],
  second: ['sec'],
  minute: ['min'],
  hour: ['hr'],
  day: [],
  week: [],
  month: [],
  year: ['yr', 'year old', 'years old'],
  hz: ['hertz'],
  mhz: ['megahertz'],
  kw: ['kilowatt'],
  mw: ['megawatt'],
  people: ['person', 'inhabitant', 'resident'],
  time: [],
  episode: [],
  season: [],
  member: [],
  goal: [],
  game: [],
  match: ['matches'],
  vote: [],
  student: [],
  employee: [],
  seat: [],
  child: ['children'],
  share: [],
};

const byName = new Map(
  Object.entries(UNITS).flatMap(([unit, names]) =>
    [unit, ...names].flatMap(name => {
      const lower = name.toLowerCase();
      return [lower, ...(/[a-z]$/.test(lower) ? [`${lower}s`] : [])].map(n => [n, unit] as const);
    }),
  ),
);

export const unitNamed = (name: string): string | null => byName.get(name) ?? null;

/** Whether a text begins with a known unit, after whose name it may go on. */
export function beginsWithUnit(text: string): boolean {
  const words = text
    .toLowerCase()
    .split(/[\s.,;:)$]+/, 4)
    .filter(word => word !== '');
  return words.some((_, k) => unitNamed(words.slice(0, k + 1).join(' ')) !== null);
}

/** Currency signs and codes that stand before a number, the longer ones first. */
export const CURRENCY_PREFIXES = [
  ...['us$', 'hk$', 'ca$', 'nz$', 'mx$', 'a$', 'c$', 's$', 'r$', '$', '€', '£', '¥', '₹', '₩', '₽', '₺', 'rs.', 'rs'],
  ...['usd', 'aud', 'cad', 'hkd', 'eur', 'gbp', 'jpy', 'cny', 'rmb', 'inr', 'krw', 'chf', 'sgd', 'nzd', 'mxn', 'brl'],
  ...['zar', 'rub', 'try', 'pln', 'sek', 'nok', 'dkk'],
] as const;

/** Signs that stand for one currency or another. */
const EITHER: Readonly<Record<string, readonly string[]>> = { '¥': ['JPY', 'CNY'], pound: ['GBP'] };

export const sameUnit = (a: string, b: string): boolean =>
  a === b || (EITHER[a]?.includes(b) ?? false) || (EITHER[b]?.includes(a) ?? false);
