import { DecodeFault } from './decode-fault.js';

export interface RegistryAddress {
  /** Ends in a slash; free of credentials, so fit for a log. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /** ms for one answer, its body included. */
  readonly timeout: number;
}

export interface RegistryAnswer {
  /** Of the 2xx, 3xx and 4xx that say something of the question itself. */
  readonly status: number;
  readonly body: unknown;
}

/** Far more than a schema of some twenty fields needs. */
const LONGEST_ANSWER = 1_048_576;

export function registryAddress(url: string, timeout: number): RegistryAddress {
  const { username, password, origin, pathname } = new URL(url);
  const accept = 'application/vnd.schemaregistry.v1+json, application/json';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const base = `${origin}${pathname.replace(/\/*$/, '/')}`;
  return { base, headers: username === '' ? { accept } : { accept, authorization }, timeout };
}

/** GET, or POST where there is something to send, and parse. Throws a DecodeFault unless what answers is a registry that is well and lets us in. */
export async function fetchJson(address: RegistryAddress, path: string, sent?: unknown): Promise<RegistryAnswer> {
  const { response, text } = await request(address, path, sent);
  const { status } = response;
  if (status === 401 || status === 403)
    throw new DecodeFault('REGISTRY_REFUSED', `status ${status} from ${address.base}`);
  if (status >= 500 || status === 429 || status === 408)
    throw new DecodeFault('REGISTRY_UNAVAILABLE', `status ${status} from ${address.base}`);
  try {
    return { status, body: JSON.parse(text) as unknown };
  } catch (error) {
    throw new DecodeFault('REGISTRY_UNINTELLIGIBLE', `status ${status} without JSON from ${address.base}`, error);
  }
}

async function request({ base, headers, timeout }: RegistryAddress, path: string, sent: unknown) {
  const signal = AbortSignal.timeout(timeout);
  const json = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
  const post = { method: 'POST', headers: { ...headers, ...json }, body: JSON.stringify(sent) };
  try {
    const response = await fetch(`${base}${path}`, { ...(sent === undefined ? { headers } : post), signal });
    return { response, text: await bounded(response) };
  } catch (error) {
    if (error instanceof DecodeFault) throw error;
    const why = signal.aborted ? `no answer in ${timeout} ms` : reasonOf(error);
    throw new DecodeFault('REGISTRY_UNAVAILABLE', `${base}: ${why}`, error);
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Node's ReadableStream is async iterable; leaving the loop cancels it.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LONGEST_ANSWER)
      throw new DecodeFault('REGISTRY_UNINTELLIGIBLE', `an answer of over ${LONGEST_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** fetch says `fetch failed` and keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);
}
