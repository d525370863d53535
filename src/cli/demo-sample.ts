export const SAMPLE_QUERY =
  '{ fleet { byStatus { status cars } coverage { cars } } cars(first: 1, orderBy: {field: SCORE, direction: DESC}) ' +
  '{ nodes { id status score { ratio topSignals { signal share } } signals { speed engineVibrationAmplitude } } } }';

/** Asks the service the sample query. @throws when it answers with an error */
export function askSample(url: string): Promise<unknown> {
  return ask(url, SAMPLE_QUERY);
}

export async function hasAnomaly(url: string): Promise<boolean> {
  const data = await ask(url, '{ anomalies(first: 1) { nodes { id } } }');
  return (data as { anomalies: { nodes: unknown[] } }).anomalies.nodes.length > 0;
}

async function ask(url: string, query: string): Promise<unknown> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
    signal: AbortSignal.timeout(30_000),
  });
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: { message: string }[] };
  if (errors?.[0]) throw new Error(`GraphQL answered with an error: ${errors[0].message}`);
  return data;
}
