/** How an endpoint of somebody else's is reached: the part of a spec that judges, remote models and custom rewards share. */
import { z } from 'zod';

const ANY_SECRET = /key|token|secret|password/i;

/**
 * Of a server of somebody else's. What the address must not hold would be stored with the spec.
 * @param example of one that will do
 * @param secret what it must not hold, and where that belongs
 */
export const serverAddress = (example: string, secret: string) =>
  z.string().superRefine((text, context) => {
    const problem = addressProblem(text, example, secret);
    if (problem !== null) context.addIssue({ code: 'custom', message: `expected an address ${problem}` });
  });

function addressProblem(text: string, example: string, secret: string): string | null {
  if (!URL.canParse(text)) return `such as ${example}`;
  const { protocol, username, password, searchParams } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'that begins with https:// or http://';
  const isOpen = username === '' && password === '' && ![...searchParams.keys()].some(name => ANY_SECRET.test(name));
  return isOpen ? null : `without ${secret}`;
}

const SECONDS_OF_A_DAY = 86_400;

const variableSchema = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable in capitals, never the key itself');

/** Those that the client itself sets. */
const OWN_HEADERS = ['host', 'content-type', 'content-length', 'accept', 'accept-encoding', 'connection'];
const headerSchema = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "expected a header's name, such as api-key")
  .refine(name => !OWN_HEADERS.includes(name.toLowerCase()), `expected none of ${OWN_HEADERS.join(', ')}`);

/** Fields of every endpoint. Later ones are absent where they are left out, so that specs of runs stay what they were. */
export const endpointShape = {
  url: serverAddress(
    'https://api.openai.com/v1',
    'a key or password: name the environment variable that holds it as keyVariable',
  ).describe('Address, as `https://api.openai.com/v1`; without a key or password.'),
  keyVariable: variableSchema
    .nullable()
    .default(null)
    .describe('Name of the environment variable of the workers that holds the key; null: none is sent.'),
  keyHeader: headerSchema
    .optional()
    .describe(
      'The header that the key goes in as it is, such as Azure’s `api-key`; left out: `Authorization: Bearer` and the key.',
    ),
  headers: z
    .record(headerSchema, variableSchema)
    .optional()
    .describe('Further headers, by the names of the workers’ environment variables that hold their values.'),
  timeoutSeconds: z
    .number()
    .positive()
    .max(SECONDS_OF_A_DAY)
    .optional()
    .meta({
      unit: 'seconds',
      description:
        'For one request, the whole reply included; of a reply in pieces, until the next one. Left out: 600, or what as many ' +
        'tokens as may come take at 10 a second, where that is more.',
    }),
  retrySeconds: z.number().min(0).max(SECONDS_OF_A_DAY).default(300).meta({
    unit: 'seconds',
    description:
      'A question is not tried again later than this after it was first asked; what is then under way may end.',
  }),
  concurrency: z.int().positive().default(8).meta({ unit: 'requests', description: 'Requests at a time.' }),
};

const SHORTEST_TIMEOUT_SECONDS = 600;
const SLOWEST_TOKENS_PER_SECOND = 10;

/** How long a reply of so many tokens may take, in seconds. */
export function timeoutOf({ timeoutSeconds }: Pick<EndpointSettings, 'timeoutSeconds'>, maxTokens = 0): number {
  return timeoutSeconds ?? Math.max(SHORTEST_TIMEOUT_SECONDS, Math.ceil(maxTokens / SLOWEST_TOKENS_PER_SECOND));
}

/** What the client itself says in a request, and what belongs into the environment. */
const OWN_FIELDS = ['messages', 'model', 'stream', 'n'];
const KEY_FIELDS = ['key', 'api_key', 'apiKey', 'authorization', 'Authorization'];

/** An OpenAI-compatible endpoint. */
export const chatSchema = z.strictObject({
  ...endpointShape,
  model: z.string().min(1).describe('The model’s name there.'),
  extra: z
    .record(z.string(), z.json())
    .refine(extra => OWN_FIELDS.every(field => !(field in extra)), `expected none of ${OWN_FIELDS.join(', ')}`)
    .refine(
      extra => KEY_FIELDS.every(field => !(field in extra)),
      'expected no key: name the environment variable that holds it as keyVariable',
    )
    .default({})
    .describe(
      'Further fields of a request’s body, laid over the others; null leaves one out, as in `{ temperature: null }`.',
    ),
  stream: z
    .boolean()
    .optional()
    .describe('Asks for the reply in pieces (server-sent events): some models are served in no other way.'),
  maxTokensField: z
    .enum(['max_tokens', 'max_completion_tokens'])
    .default('max_tokens')
    .describe(
      'What the endpoint calls the limit of a reply. One that refuses the first by name is asked with the second.',
    ),
});

export type EndpointSettings = z.output<z.ZodObject<typeof endpointShape>>;
export type ChatSettings = z.output<typeof chatSchema>;
