import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Viewer } from '../../access/viewer.js';
import type { Database } from '../../twin/database.js';
import type { ReadingDocument } from '../../twin/documents.js';
import { DATABASE } from '../../twin/twin.module.js';
import { ApiError } from '../api-error.js';
import { apiErrorOf } from '../error-format.js';
import { clientName } from '../guard/client-name.js';
import { refuse } from '../guard/http-guard.js';
import { checkExpiry, type Limits, type OperationGuard } from '../guard/operation-guard.js';
import { report } from '../mercurius-options.js';
import { columnsFor } from './export-columns.js';
import { CONTENT_TYPES, type ExportFormat, exportStream } from './export-formats.js';
import { exportQuery } from './export-query.js';
import { exportRows } from './export-rows.js';

export interface ExportTools {
  readonly operations: OperationGuard;
  readonly masked: Limits['masked'];
  readonly clock: () => number;
  /** Exports of one client at a time. */
  readonly most: number;
  /** How long a client may leave what was sent unread, ms. */
  readonly stalled: number;
}

/** Token of the `ExportTools`. */
export const EXPORT_TOOLS = Symbol('ExportTools');

/** The history as files: see docs/export.md. */
@Controller('export')
export class ExportController {
  /** By client, exports that run. */
  private readonly running = new Map<string, number>();

  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(EXPORT_TOOLS) private readonly tools: ExportTools,
  ) {}

  @Get('history.csv')
  async csv(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answer('csv', request, reply);
  }

  @Get('history.ndjson')
  async ndjson(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answer('ndjson', request, reply);
  }

  @Get('history.avro')
  async avro(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answer('avro', request, reply);
  }

  private async answer(format: ExportFormat, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    try {
      await this.send(format, request, reply);
    } catch (fault) {
      const told = apiErrorOf(fault);
      if (told.cause !== undefined) report(told.cause);
      await refuse(request, reply, told);
    }
  }

  /** Nothing is sent before the first rows are there: what is wrong until then is told as an error. */
  private async send(format: ExportFormat, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { viewer } = request;
    if (!viewer) throw new ApiError('UNAUTHENTICATED');
    const client = clientName(viewer, request.ip);
    await this.tools.operations.admit(viewer, client);
    const query = exportQuery(request.query as Record<string, unknown>);
    const columns = columnsFor(viewer, this.tools.masked, query);
    const release = this.enter(client);
    const rows = exportRows(this.database.collections, query, viewer);
    try {
      const first = await rows.next();
      reply.header('content-type', CONTENT_TYPES[format]);
      reply.header('content-disposition', `attachment; filename="history.${format}"`);
      reply.header('cache-control', 'no-store');
      reply.header('x-content-type-options', 'nosniff');
      if (request.method === 'HEAD' || reply.raw.destroyed) {
        await rows.return(undefined);
        release();
        await reply.send();
        return;
      }
      const stream = exportStream(format, columns, this.following(first, rows, viewer), query.after !== null);
      stream.once('close', release);
      stream.on('error', (fault) => {
        const { cause } = apiErrorOf(fault);
        if (cause !== undefined && !isBroken(fault)) report(cause);
      });
      // Of the answer and not of its socket, which gets its keep-alive back when the answer has ended.
      reply.raw.setTimeout(this.tools.stalled, () => reply.raw.destroy());
      await reply.send(stream);
    } catch (fault) {
      release();
      throw fault;
    }
  }

  private async *following(
    first: IteratorResult<readonly ReadingDocument[]>,
    rows: AsyncGenerator<readonly ReadingDocument[]>,
    viewer: Viewer,
  ): AsyncGenerator<readonly ReadingDocument[]> {
    if (first.done) return;
    try {
      yield first.value;
      for await (const slice of rows) {
        checkExpiry(viewer, this.tools.clock());
        yield slice;
      }
    } finally {
      await rows.return(undefined);
    }
  }

  /** @throws ApiError RATE_LIMITED */
  private enter(client: string): () => void {
    const running = this.running.get(client) ?? 0;
    if (running >= this.tools.most)
      throw new ApiError('RATE_LIMITED', `${running} exports are running: come again when one has ended`);
    this.running.set(client, running + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const rest = (this.running.get(client) ?? 1) - 1;
      if (rest > 0) this.running.set(client, rest);
      else this.running.delete(client);
    };
  }
}

/** The client went away. */
function isBroken(fault: Error): boolean {
  const { code } = fault as NodeJS.ErrnoException;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR' || code === 'ECONNRESET';
}
