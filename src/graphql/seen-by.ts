import { seesFleet } from '../access/scope.js';
import type { Viewer } from '../access/viewer.js';
import { isCarId } from '../telemetry/car-id.js';
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
