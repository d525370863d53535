import { AnomalyConnectionResolver, AnomalyResolver, NodeResolver } from './anomaly.resolver.js';
import { ArrayReadingResolver } from './array-reading.resolver.js';
import { CarConnectionResolver, CarResolver } from './car.resolver.js';
import { FleetResolver } from './fleet.resolver.js';
import { CarRollupsResolver, FleetRollupsResolver } from './rollup.resolver.js';
import { AnomalyEventResolver, CarUpdateResolver, LiveResolver } from './live.resolver.js';

/** Every resolver: what the schema is made of. */
export const RESOLVERS = [
  CarResolver,
  CarConnectionResolver,
  AnomalyResolver,
  AnomalyConnectionResolver,
  NodeResolver,
  ArrayReadingResolver,
  FleetResolver,
  CarRollupsResolver,
  FleetRollupsResolver,
  LiveResolver,
  CarUpdateResolver,
  AnomalyEventResolver,
];
