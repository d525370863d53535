/** What is known of a car beside its telemetry, by name; which names and values are allowed, the settings say. */
export type CarAttributes = Readonly<Record<string, unknown>> & {
  /** The part of all cars that it belongs to: who may see it depends on this. */
  readonly fleet?: string;
  readonly model?: string;
};

/** One state of a car's attributes. */
export interface AttributesVersion {
  readonly values: CarAttributes;
  /** From 1, without gaps. */
  readonly version: number;
  readonly at: Date;
  readonly by: string;
}

/** How a car is to be, by name; which names and values are allowed, the settings say. */
export type DesiredValues = Readonly<Record<string, unknown>>;

/** One version of how a car is to be. */
export interface DesiredVersion {
  readonly values: DesiredValues;
  /** From 1, without gaps. */
  readonly version: number;
  /** Rises with every version, whatever the clocks say. */
  readonly at: Date;
  readonly by: string;
}

/** The newest desired state that the car said it follows. */
export type AcceptedVersion = Omit<DesiredVersion, 'by'>;

/**
 * What people and programs said about a car, be it that it was seen or not. Written by the API; ingest only counts in it, and bridges note what cars accept.
 * The twin has a copy of the attributes, so that everything that asks for cars can ask by them.
 */
export interface CarDocument {
  readonly _id: string;
  readonly attributes?: AttributesVersion;
  /** Former states, the oldest first, at most ATTRIBUTES_CAP. */
  readonly formerAttributes?: readonly AttributesVersion[];
  readonly desired?: DesiredVersion;
  /** Written by the bridge that took the car's answer. */
  readonly accepted?: AcceptedVersion;
  /**
   * How many first twins ingest made of it (more than one after an erase). Counted in the transaction that makes one, so
   * that attributes that are set at the same instant conflict with it instead of missing the twin.
   */
  readonly twins?: number;
}

/** Former states of the attributes that are kept. */
export const ATTRIBUTES_CAP = 50;
