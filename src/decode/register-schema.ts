import { z } from 'zod';
import { DecodeFault } from './decode-fault.js';
import { fetchJson, type RegistryAddress } from './registry-request.js';

const REGISTERED = z.object({ id: z.number().int().min(0).max(0x7f_ff_ff_ff) });
const REFUSED = z.object({ message: z.string() });

/**
 * The id of an Avro schema under a subject; registers it where it is not there yet. Safe to repeat.
 * @param schema JSON
 * @throws DecodeFault REGISTRY_REFUSED where the registry does not take the schema, and what `fetchJson` throws
 */
export async function registerSchema(address: RegistryAddress, subject: string, schema: string): Promise<number> {
  const path = `subjects/${encodeURIComponent(subject)}/versions`;
  const { status, body } = await fetchJson(address, path, { schemaType: 'AVRO', schema });
  const registered = REGISTERED.safeParse(body);
  if (status === 200 && registered.success) return registered.data.id;
  const why = REFUSED.safeParse(body).data?.message ?? 'no id';
  throw new DecodeFault('REGISTRY_REFUSED', `subject ${subject}: status ${status} from ${address.base}: ${why}`);
}
