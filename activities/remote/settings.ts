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
  url: urlSchema,
  /** Name of the environment variable of the workers that holds the key; null: none is sent. */
  keyVariable: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable in capitals, never the key itself')
    .nullable()
    .default(null),
  /** For one request, the whole reply included. */
  timeoutSeconds: z.number().positive().max(SECONDS_OF_A_DAY).default(120),
  /** A question is not tried again later than this after it was first asked; what is then under way may end. */
  retrySeconds: z.number().min(0).max(SECONDS_OF_A_DAY).default(300),
  /** Requests at a time. */
  concurrency: z.int().positive().default(8),
};

/** What the client itself says in a request, and what belongs into the environment. */
const OWN_FIELDS = ['messages', 'model', 'stream', 'n'];
const KEY_FIELDS = ['key', 'api_key', 'apiKey', 'authorization', 'Authorization'];

/** An OpenAI-compatible endpoint. */
export const chatSchema = z.strictObject({
  ...endpointShape,
  /** The model's name there. */
  model: z.string().min(1),
  /** Further fields of a request's body, laid over the others; null leaves one out, e.g. {"temperature": null}. */
  extra: z
    .record(z.string(), z.json())
    .refine(extra => OWN_FIELDS.every(field => !(field in extra)), `expected none of ${OWN_FIELDS.join(', ')}`)
    .refine(
      extra => KEY_FIELDS.every(field => !(field in extra)),
      'expected no key: name the environment variable that holds it as keyVariable',
    )
    .default({}),
  /** What the endpoint calls the limit of a reply; OpenAI's reasoning models know the second alone. */
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
});

export type EndpointSettings = z.output<z.ZodObject<typeof endpointShape>>;
export type ChatSettings = z.output<typeof chatSchema>;
