import { kafka } from './kafka.js';
import { mongodb } from './mongodb.js';
import { mqtt } from './mqtt.js';
import type { Part, PartName } from './part.js';

/** In the order in which they are started; they are stopped the other way round, as the data flows. */
export const PARTS: Readonly<Record<PartName, Part>> = { mongodb, kafka, mqtt };
