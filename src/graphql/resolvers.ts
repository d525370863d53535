import { AnomalyConnectionResolver, AnomalyResolver, NodeResolver } from './anomaly.resolver.js';
import { ArrayReadingResolver } from './array-reading.resolver.js';
import { AuditResolver } from './admin/audit.resolver.js';
import { ErasureResolver } from './admin/erasure.resolver.js';
import { AttributesResolver } from './attributes/attributes.resolver.js';
import { AggregateResolver } from './history/aggregate.resolver.js';
import { SignalResolver, SignalUnitsResolver } from './history/signals.resolver.js';
import { CarConnectionResolver, CarResolver } from './car.resolver.js';
import { CarCommandsResolver, CommandResolver } from './desired/command.resolver.js';
import { DeltaResolver, DesiredResolver } from './desired/desired.resolver.js';
import { FleetAnalyticsResolver, MeasuredCarResolver } from './fleet/analytics.resolver.js';
import { CompareResolver } from './fleet/compare.resolver.js';
import { DiffReadingsResolver, DiffResolver } from './time-travel/diff.resolver.js';
import { FleetResolver } from './fleet.resolver.js';
import { HandlingResolver } from './handling.resolver.js';
import { CarRollupsResolver, FleetRollupsResolver } from './rollup.resolver.js';
import { ModelResolver } from './model.resolver.js';
import { AnomalyEventResolver, CarUpdateResolver, LiveResolver } from './live.resolver.js';

/** Every resolver: what the schema is made of. */
export const RESOLVERS = [
  CarResolver,
  CarConnectionResolver,
  AttributesResolver,
  AggregateResolver,
  SignalResolver,
  SignalUnitsResolver,
  DesiredResolver,
  DeltaResolver,
  CarCommandsResolver,
  CommandResolver,
  DiffReadingsResolver,
  DiffResolver,
  AnomalyResolver,
  AnomalyConnectionResolver,
  HandlingResolver,
  NodeResolver,
  ArrayReadingResolver,
  FleetResolver,
  FleetAnalyticsResolver,
  CompareResolver,
  MeasuredCarResolver,
  CarRollupsResolver,
  FleetRollupsResolver,
  ModelResolver,
  LiveResolver,
  ErasureResolver,
  AuditResolver,
  CarUpdateResolver,
  AnomalyEventResolver,
];
