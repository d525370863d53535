import type { ChangeStream, Collection } from 'mongodb';
import type { Database } from '../../src/twin/database.js';
import type { Twin } from '../../src/twin/documents.js';

type Change = NonNullable<Awaited<ReturnType<ChangeStream<Twin>['tryNext']>>>;

/** Has every change of twins that the server gives to this process pass through `bend`, which may hold it or alter it. */
export function bendTwinStream({ collections }: Database, bend: (change: Change) => Promise<Change>): void {
  const twins: Pick<Collection<Twin>, 'watch'> = collections.twins;
  const watch = collections.twins.watch.bind(collections.twins);
  twins.watch = ((...args: Parameters<typeof watch>) => {
    const stream = watch(...args);
    const tryNext = stream.tryNext.bind(stream);
    stream.tryNext = async () => {
      const change = await tryNext();
      return change === null ? null : bend(change);
    };
    return stream;
  }) as typeof watch;
}
