import { Args, type ArgsOptions } from '@nestjs/graphql';

const PARAMETER_TYPES = 'design:paramtypes';

/**
 * `@Args` with its type said outright. Nest looks up the parameter types that a compiler may emit even then, and this
 * program is compiled without them.
 */
export function TypedArgs(options: ArgsOptions & { type: NonNullable<ArgsOptions['type']> }): ParameterDecorator {
  return (target, method, index) => {
    if (method === undefined) return;
    if (!Reflect.hasMetadata(PARAMETER_TYPES, target, method))
      Reflect.defineMetadata(PARAMETER_TYPES, [], target, method);
    Args(options)(target, method, index);
  };
}
