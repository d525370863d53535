import { seesFleet } from '../access/scope.js';
import type { Viewer } from '../access/viewer.js';
import { isCarId } from '../telemetry/car-id.js';
import type { CommandDocument } from '../twin/command-documents.js';
import type { EpisodeDocument, ReadingDocument, Twin } from '../twin/documents.js';
import type { Loaders } from './loaders.js';

/** The twin of a car that this viewer may see; null for any other, be it that there is no such car. */
export async function twinFor(viewer: Viewer, loaders: Loaders, id: string): Promise<Twin | null> {
  const twin = isCarId(id) ? await loaders.cars.load(id) : null;
  return twin && seesFleet(viewer, twin.attributes?.fleet) ? twin : null;
}

/** An episode of a car that this viewer may see. */
export async function episodeFor(viewer: Viewer, loaders: Loaders, id: string): Promise<EpisodeDocument | null> {
  const episode = await loaders.anomalies.load(id);
  return episode && seesFleet(viewer, episode.fleet) ? episode : null;
}

/** A reading of a car that this viewer may see. */
export async function readingFor(viewer: Viewer, loaders: Loaders, id: string): Promise<ReadingDocument | null> {
  const reading = await loaders.readings.load(id);
  if (!reading || viewer.fleets === null) return reading;
  return (await twinFor(viewer, loaders, reading.car)) ? reading : null;
}

/** A command to a car that this viewer may see; who sees every car sees those to cars that nobody has seen yet, too. */
export async function commandFor(viewer: Viewer, loaders: Loaders, id: string): Promise<CommandDocument | null> {
  const command = await loaders.commands.load(id);
  if (!command || viewer.fleets === null) return command;
  return (await twinFor(viewer, loaders, command.car)) ? command : null;
}
