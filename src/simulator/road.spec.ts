import { describe, expect, it } from 'vitest';
import { simulateFleet, type CarMessage, type FleetOptions } from './fleet.js';
import { HOME, metresBetween, TURNS_BACK_AT } from './road.js';
import { encodeMessage } from './wire.js';

const STEP = 10;
const OPTIONS: FleetOptions = { cars: 5, seed: 4, start: Date.UTC(2026, 0, 1), stepSeconds: STEP, messages: 20_000 };

function drives(): CarMessage[][] {
  const byCar = new Map<string, CarMessage[]>();
  for (const message of simulateFleet({ ...OPTIONS, location: true })) {
    byCar.set(message.car, [...(byCar.get(message.car) ?? []), message]);
  }
  return [...byCar.values()];
}

function placeOf({ location }: CarMessage) {
  if (location === undefined) throw new Error('no location');
  return location;
}

describe('the location', () => {
  const ways = drives();

  it('moves as far as the speed says, from one message to the next', () => {
    for (const way of ways) {
      way.slice(1).forEach((message, i) => {
        const gone = metresBetween(placeOf(way[i] as CarMessage), placeOf(message));
        const said = (message.signals.speed ?? NaN) * STEP;
        // Six decimals of a degree are a tenth of a metre, and the plane is not quite the sphere.
        expect(Math.abs(gone - said)).toBeLessThan(0.2 + 0.002 * said);
      });
    }
  });

  it('keeps its heading most of the time', () => {
    for (const way of ways) {
      const headings = way.slice(1).map((message, i) => {
        const [from, to] = [placeOf(way[i] as CarMessage), placeOf(message)];
        return Math.atan2((to.lon - from.lon) * Math.cos((from.lat * Math.PI) / 180), to.lat - from.lat);
      });
      const straight = headings.slice(1).filter((heading, i) => Math.cos(heading - (headings[i] ?? NaN)) > 0.98);
      expect(straight.length / headings.length).toBeGreaterThan(0.7);
      expect(straight.length).toBeLessThan(headings.length - 1);
    }
  });

  it('stays in the region', () => {
    const furthest = Math.max(...ways.flat().map((message) => metresBetween(placeOf(message), HOME)));
    expect(furthest).toBeLessThan(TURNS_BACK_AT + 1_000);
    expect(furthest).toBeGreaterThan(10_000);
  });

  it('changes nothing but itself, and is on the wire only when asked for', () => {
    const without = [...simulateFleet(OPTIONS)];
    const [way = []] = ways;
    const { location: _, ...rest } = way[7] as CarMessage;
    expect(without.filter(({ car }) => car === rest.car)[7]).toEqual(rest);
    expect(JSON.parse(encodeMessage(without[0] as CarMessage).toString())).not.toHaveProperty('location');
    const sent = JSON.parse(encodeMessage(way[0] as CarMessage).toString()) as { location: unknown };
    expect(sent.location).toEqual(way[0]?.location);
  });
});
