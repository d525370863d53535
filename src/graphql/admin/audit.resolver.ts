import { Inject } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import { READ_LIMIT } from '../../fleet/fleet.js';
import type { Database } from '../../twin/database.js';
import { DATABASE } from '../../twin/twin.module.js';
import { type Connection, pageOf, pageSize } from '../connection.js';
import { decodeCursor, encodeCursor, isId } from '../cursor.js';
import { CurrentViewer } from '../current-viewer.js';
import { PageArgs } from '../page.args.js';
import { requireAllFleets, requireRole } from '../require-role.js';
import { TypedArgs } from '../typed-args.js';
import { AuditConnection, AuditEntry, auditModel } from './audit.model.js';

const isPlace = (parts: unknown[]): parts is [string] => parts.length === 1 && isId(parts[0]);

@Resolver(() => AuditEntry)
export class AuditResolver {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  @Query(() => AuditConnection, {
    description: 'Every mutation that was asked for, refused ones included, newest first. Role admin, for all fleets.',
  })
  async auditLog(
    @TypedArgs({ type: () => PageArgs }) { first, after }: PageArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Connection<AuditEntry>> {
    requireRole(viewer, 'admin');
    requireAllFleets(viewer);
    const count = pageSize(first);
    const place = after ? decodeCursor(after, 'audit', isPlace)[0] : null;
    const rows = await this.database.collections.audit
      .find(place ? { _id: { $lt: place } } : {}, { maxTimeMS: READ_LIMIT })
      .sort({ _id: -1 })
      .limit(count + 1)
      .toArray();
    const entry = (row: (typeof rows)[number]) => ({
      cursor: encodeCursor(['audit', row._id]),
      node: auditModel(row),
    });
    return pageOf(rows, count, entry, { started: place !== null });
  }
}
