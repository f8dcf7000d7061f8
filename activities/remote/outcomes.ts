/**
 * Why no answer came, and what becomes of the question: one table for judges, remote models and custom rewards alike.
 * Nothing that asking again cannot mend is asked again.
 */

/**
 * again: asked again within retrySeconds, later each time or when the endpoint says. otherwise: asked again at once, put
 * differently. left out: this question stays without an answer, counted; others go on. refused: nobody is asked further
 * until the setting is changed. warned: the answer counts, and the result says what is wrong with it.
 */
export type Outcome = 'again' | 'otherwise' | 'left out' | 'refused' | 'warned';

/** What advice is made of. */
export interface Circumstances {
  url: string;
  keyVariable: string | null;
  /** A field of the request that the endpoint names. */
  field?: string | undefined;
  /** Where a redirect leads. */
  location?: string | undefined;
}

export interface Cause {
  /** For people who read the table. */
  means: string;
  outcome: Outcome;
  /** Where it is put right: in a worker's environment or at the provider's, after which the same work goes on, or in the spec. */
  mendedIn?: 'environment' | 'spec';
  /** Most tries; then the question is left out. */
  atMost?: number;
  advice?(circumstances: Circumstances): string;
}

/** The same question is not likely to fare better the fourth time. */
const FEW = 3;

const causes = {
  connection: { means: 'no connection, or one that breaks off', outcome: 'again' },
  silence: {
    means: 'no whole reply within timeoutSeconds',
    outcome: 'again',
    advice: () => 'Raise timeoutSeconds for a model that thinks longer, or set stream: true.',
  },
  busy: { means: 'too many requests (408, 425, 429)', outcome: 'again' },
  broken: { means: 'a fault of the server (5xx), inside a reply of 200 too', outcome: 'again' },
  died: { means: 'a reply that died on the server: an error inside the choice', outcome: 'again' },
  'no JSON': { means: 'half a reply, or an empty body', outcome: 'again' },
  nonsense: {
    means: 'JSON that is no completion: no choices, no message',
    outcome: 'again',
    atMost: FEW,
  },
  empty: { means: 'a reply that ended by itself and says nothing', outcome: 'again', atMost: FEW },
  'limit field': {
    means: 'the model wants max_completion_tokens in place of max_tokens',
    outcome: 'otherwise',
    mendedIn: 'spec',
    advice: () => 'Set maxTokensField: max_completion_tokens.',
  },
  'judgement cut off': {
    means: 'a judgement that ends at maxTokens before its verdict',
    outcome: 'otherwise',
    mendedIn: 'spec',
    advice: () => 'Raise reward.judge.maxTokens.',
  },
  'no verdict': {
    means: 'a judgement without one clear verdict',
    outcome: 'otherwise',
  },
  'too long': { means: "a prompt beyond the model's context", outcome: 'left out' },
  filtered: { means: 'a filter took the question or the reply (400, 403, or finish_reason)', outcome: 'left out' },
  declined: { means: 'the refusal field in place of content', outcome: 'left out' },
  'tool call': {
    means: 'a call of a tool in place of content',
    outcome: 'left out',
    advice: () => 'extra: {"tool_choice": "none"} forbids it.',
  },
  rejected: { means: 'any other 400, 413 or 422', outcome: 'left out' },
  'no credit': {
    means: 'the account is empty (402, and what providers say in other ways)',
    outcome: 'refused',
    mendedIn: 'environment',
    advice: () => 'The account has no credit left: top it up, and the work goes on.',
  },
  key: {
    means: 'the key is missing, wrong, or not for this model (401, 403)',
    outcome: 'refused',
    mendedIn: 'environment',
    advice: ({ keyVariable }) =>
      keyVariable === null
        ? 'It wants a key: put it into an environment variable of the workers and name that one as keyVariable.'
        : `Check the key in the workers' environment variable ${keyVariable}, and that it may use this model. ` +
          'An endpoint that wants it in another header: keyHeader (Azure: api-key).',
  },
  proxy: {
    means: 'the proxy refuses, or is not set up right (407)',
    outcome: 'refused',
    mendedIn: 'environment',
    advice: () => "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the workers' environment, with the proxy's password.",
  },
  certificate: {
    means: 'a certificate that this machine does not trust, or TLS where there is none',
    outcome: 'refused',
    mendedIn: 'environment',
    advice: () =>
      "For a company's own authority set NODE_EXTRA_CA_CERTS in the workers' environment; for a server without TLS begin url with http://.",
  },
  page: {
    means: 'a web page with 200, by an endpoint that never answered this worker',
    outcome: 'refused',
    mendedIn: 'spec',
    advice: () =>
      'Check url (the base, such as https://api.openai.com/v1, most often with /v1), and whether a proxy wants a sign-in.',
  },
  'stream only': {
    means: 'the model answers in pieces alone',
    outcome: 'refused',
    mendedIn: 'spec',
    advice: () => 'Set stream: true.',
  },
  parameter: {
    means: 'the model refuses a field of the request',
    outcome: 'refused',
    mendedIn: 'spec',
    advice: ({ field = '<field>' }) =>
      `Take it out: extra: {"${field}": null}${field === 'top_p' ? ' (topP: 1 is not sent at all)' : ''}.`,
  },
  room: {
    means: 'a longer reply asked for than the model gives',
    outcome: 'refused',
    mendedIn: 'spec',
    advice: () => 'Lower sampling.maxNewTokens (of a judge: maxTokens).',
  },
  address: {
    means: 'no such address or model (404, 405, a redirect, …)',
    outcome: 'refused',
    mendedIn: 'spec',
    advice: ({ location }) => {
      if (location === undefined) {
        return 'Check url (the base, such as https://api.openai.com/v1), the model\'s name, and what "extra" adds to or takes from a request.';
      }
      const to = URL.canParse(location) ? new URL(location) : null;
      return `Redirects are not followed: give the address it leads to as url${to ? ` (${to.origin}${to.pathname})` : ''}.`;
    },
  },
  'nobody answered': {
    means: 'the first questions, as many as are asked at once and at least three, all rejected or met with nonsense',
    outcome: 'refused',
    mendedIn: 'spec',
    advice: () => 'Check url, the model\'s name, and what "extra" adds to or takes from a request.',
  },
  'prompt cut': {
    means:
      'the endpoint counts far fewer tokens than were sent: its context is smaller, and it cut the prompt silently',
    outcome: 'warned',
  },
  'judge prompt cut': {
    means: 'the same of a judge, which lost its instructions or the answer',
    outcome: 'left out',
    advice: () => "Raise the server's context (Ollama: num_ctx or OLLAMA_CONTEXT_LENGTH).",
  },
} satisfies Record<string, Cause>;

export type CauseName = keyof typeof causes;
export const CAUSES: Readonly<Record<CauseName, Cause>> = causes;

/** A left-out question that says more of the settings than of itself, where nobody was answered yet. */
export const SUSPECT: readonly CauseName[] = ['rejected', 'nonsense'];
