/** GraphQL enums out of the lists of names that the stages work with. */
export function enumOf<T extends string>(values: readonly T[]): { readonly [Name in T]: Name } {
  return Object.freeze(Object.fromEntries(values.map((value) => [value, value]))) as { readonly [Name in T]: Name };
}
