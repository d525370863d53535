/** What a subscriber wants to be told of. */
export interface Interest<T> {
  /** Two of one name let the same items through. */
  readonly name: string;
  /** Only items of these cars; null for those of any. */
  readonly cars: readonly string[] | null;
  readonly matches: (item: T) => boolean;
}

interface Group<T, R> {
  readonly interest: Interest<T>;
  readonly readers: Set<R>;
}

/**
 * Who is to be told of an item, at the price of one look per filter that may concern its car, however many subscribers
 * share the filter and however many others watch other cars.
 */
export class FanOut<T, R> {
  private readonly groups = new Map<string, Group<T, R>>();
  private readonly ofAnyCar = new Set<Group<T, R>>();
  private readonly ofCar = new Map<string, Set<Group<T, R>>>();
  private readonly groupOf = new Map<R, Group<T, R>>();

  add(reader: R, interest: Interest<T>): void {
    this.remove(reader);
    const group = this.groups.get(interest.name) ?? this.opened(interest);
    group.readers.add(reader);
    this.groupOf.set(reader, group);
  }

  remove(reader: R): void {
    const group = this.groupOf.get(reader);
    if (!group) return;
    this.groupOf.delete(reader);
    group.readers.delete(reader);
    if (group.readers.size === 0) this.closed(group);
  }

  /** Tells of an item of a car: `wanted` to whom it matches, `others` to those whose filter only may concern the car. */
  tell(car: string, item: T, wanted: (reader: R) => void, others?: (reader: R) => void): void {
    for (const groups of [this.ofAnyCar, this.ofCar.get(car) ?? []])
      for (const { interest, readers } of groups) {
        const told = interest.matches(item) ? wanted : others;
        if (told) for (const reader of readers) told(reader);
      }
  }

  get all(): R[] {
    return [...this.groupOf.keys()];
  }

  private opened(interest: Interest<T>): Group<T, R> {
    const group = { interest, readers: new Set<R>() };
    this.groups.set(interest.name, group);
    if (interest.cars === null) this.ofAnyCar.add(group);
    for (const car of new Set(interest.cars)) {
      const groups = this.ofCar.get(car) ?? new Set();
      this.ofCar.set(car, groups.add(group));
    }
    return group;
  }

  private closed(group: Group<T, R>): void {
    this.groups.delete(group.interest.name);
    this.ofAnyCar.delete(group);
    for (const car of group.interest.cars ?? []) {
      const groups = this.ofCar.get(car);
      groups?.delete(group);
      if (groups?.size === 0) this.ofCar.delete(car);
    }
  }
}
