import { mqttWithoutPackages } from './mqtt.js';
import { PART_NAMES, PartMissing, type Choice, type PartName } from './part.js';
import { PARTS } from './parts.js';
import type { Progress } from './progress.js';
import type { Surroundings } from './surroundings.js';

/** Chooses where a part comes from and fetches it when it has to be. Cheap when nothing has to. */
export async function preparePart(name: PartName, surroundings: Surroundings, progress: Progress): Promise<Choice> {
  const part = PARTS[name];
  const choice = part.choose(surroundings);
  if (choice.source === 'missing') throw new PartMissing(name, `${choice.why}. ${choice.advice ?? ''}`);
  if (choice.source !== 'fetch') return choice;
  try {
    progress.say(`${name}: ${titleOf(choice)} (${choice.why})`);
    await part.fetch(choice, surroundings, progress);
    return part.choose(surroundings);
  } catch (error) {
    if (name === 'mqtt') return announce(mqttWithoutPackages(firstLine(error)), progress);
    throw new PartMissing(name, couldNotFetch(choice, PARTS[name].variable, error));
  }
}

export async function prepareParts(surroundings: Surroundings, progress: Progress): Promise<void> {
  for (const name of PART_NAMES) await preparePart(name, surroundings, progress);
}

function couldNotFetch(choice: Choice, variable: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `${titleOf(choice)} could not be fetched. Try again with a network, or name a running one in ${variable}. ${reason}`;
}

function titleOf({ server, version }: Choice): string {
  return `${server} ${version}`.trim();
}

function announce(choice: Choice, progress: Progress): Choice {
  progress.say(`mqtt: ${choice.why}; ${choice.advice}`);
  return choice;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
}
