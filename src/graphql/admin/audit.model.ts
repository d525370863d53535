import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { AuditDocument } from '../../twin/audit-documents.js';
import { connectionOf } from '../connection.js';
import { DateTime, Json } from '../scalars.js';

@ObjectType({ description: 'A mutation that somebody asked for.' })
export class AuditEntry {
  @Field(() => ID, { description: 'Its own id, rising with time.' })
  readonly id!: string;

  @Field(() => DateTime, { description: 'When, by the clock of the service.' })
  readonly at!: Date;

  @Field(() => String, { description: 'Who: the subject of the token or the name of the key.' })
  readonly viewer!: string;

  @Field(() => String, { description: 'Their role then.' })
  readonly role!: string;

  @Field(() => String, { description: 'Address of the client.' })
  readonly address!: string;

  @Field(() => String, { description: 'Name of the mutation.' })
  readonly operation!: string;

  @Field(() => Json, { description: 'Its arguments by name; as text where a document could not hold what was sent.' })
  readonly args!: unknown;

  @Field(() => String, {
    nullable: true,
    description: 'OK, SKIPPED by a directive, or the code of the error; null where it was never answered.',
  })
  readonly outcome!: string | null;
}

@ObjectType({ description: 'A page of the audit log, newest first.' })
export class AuditConnection extends connectionOf(AuditEntry, 'Audit', 'the entries') {}

export function auditModel({ _id: id, ...rest }: AuditDocument): AuditEntry {
  return { id, ...rest };
}
