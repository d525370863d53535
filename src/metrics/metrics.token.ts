/** Token of the `Metrics` of this process. */
export const METRICS = Symbol('Metrics');
