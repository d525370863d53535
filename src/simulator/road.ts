import type { Random } from './random.js';

/** Degrees, WGS 84 */
export interface Location {
  readonly lat: number;
  readonly lon: number;
}

export interface RoadState extends Location {
  /** Clockwise from north, radians */
  readonly heading: number;
}

/** Around which the cars of a fleet drive: a city in the middle of a continent, so that no one is far out at sea. */
export const HOME: Location = { lat: 48.137, lon: 11.575 };
/** m from HOME within which cars start, and beyond which they turn back */
export const STARTS_WITHIN = 15_000;
export const TURNS_BACK_AT = 30_000;

const EARTH_RADIUS = 6_371_000;
/** m from one junction at which a car turns off to the next, on average */
const BLOCK = 1_500;
/** Radians that a road bends to either side between two messages */
const BEND = 0.12;

export function startOfRoad(random: Random): RoadState {
  const away = STARTS_WITHIN * Math.sqrt(random.next());
  const start = { ...HOME, heading: random.between(-Math.PI, Math.PI) };
  return { ...moved(start, away), heading: random.between(-Math.PI, Math.PI) };
}

/** Where a car is after so many metres more: straight on with bends, a turn to the left or right now and then. */
export function driveRoad(before: RoadState, metres: number, random: Random): RoadState {
  const bend = random.between(-BEND, BEND);
  const turns = random.chance(1 - Math.exp(-metres / BLOCK));
  const side = random.chance(0.5) ? Math.PI / 2 : -Math.PI / 2;
  const after = moved({ ...before, heading: before.heading + bend + (turns ? side : 0) }, metres);
  return metresBetween(after, HOME) > TURNS_BACK_AT ? { ...after, heading: headingTo(after, HOME) } : after;
}

/** m, on the sphere */
export function metresBetween(a: Location, b: Location): number {
  const half = (from: number, to: number) => Math.sin(radians(to - from) / 2) ** 2;
  const chord = half(a.lat, b.lat) + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * half(a.lon, b.lon);
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(chord));
}

/** In a plane: exact enough for the way between two messages. */
function moved({ lat, lon, heading }: RoadState, metres: number): RoadState {
  const north = (metres * Math.cos(heading)) / EARTH_RADIUS;
  const east = (metres * Math.sin(heading)) / (EARTH_RADIUS * Math.cos(radians(lat)));
  return { lat: lat + degrees(north), lon: lon + degrees(east), heading };
}

function headingTo(from: Location, to: Location): number {
  return Math.atan2((to.lon - from.lon) * Math.cos(radians(from.lat)), to.lat - from.lat);
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
