/** How an endpoint of somebody else's is reached: the part of a spec that judges, remote models and custom rewards share. */
import { z } from 'zod';

const urlSchema = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** What an address must not hold would be stored with the spec. */
function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'expected an address such as https://api.openai.com/v1';
  const { protocol, username, password, searchParams } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'expected an address that begins with https:// or http://';
  if (username !== '' || password !== '' || [...searchParams.keys()].some(name => /key|token|secret/i.test(name))) {
    return 'expected an address without a key or password: name the environment variable that holds it as keyVariable';
  }
  return null;
}

const SECONDS_OF_A_DAY = 86_400;

/** Fields of every endpoint. */
export const endpointShape = {
  url: urlSchema.describe('Address, as `https://api.openai.com/v1`; without a key or password.'),
  keyVariable: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable in capitals, never the key itself')
    .nullable()
    .default(null)
    .describe('Name of the environment variable of the workers that holds the key; null: none is sent.'),
  timeoutSeconds: z
    .number()
    .positive()
    .max(SECONDS_OF_A_DAY)
    .default(120)
    .meta({ unit: 'seconds', description: 'For one request, the whole reply included.' }),
  retrySeconds: z.number().min(0).max(SECONDS_OF_A_DAY).default(300).meta({
    unit: 'seconds',
    description:
      'A question is not tried again later than this after it was first asked; what is then under way may end.',
  }),
  concurrency: z.int().positive().default(8).meta({ unit: 'requests', description: 'Requests at a time.' }),
};

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
  maxTokensField: z
    .enum(['max_tokens', 'max_completion_tokens'])
    .default('max_tokens')
    .describe('What the endpoint calls the limit of a reply; OpenAI’s reasoning models know the second alone.'),
});

export type EndpointSettings = z.output<z.ZodObject<typeof endpointShape>>;
export type ChatSettings = z.output<typeof chatSchema>;
