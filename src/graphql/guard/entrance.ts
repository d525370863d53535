import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { AUTHENTICATOR } from '../../access/access.module.js';
import type { Authenticator } from '../../access/authenticator.js';
import { guardHttp, type HttpGuardOptions } from './http-guard.js';

export type EntranceOptions = Omit<HttpGuardOptions, 'authenticator'>;

export const ENTRANCE_OPTIONS = Symbol('EntranceOptions');

/** ms that a client may take to send a request. */
const SLOWEST_REQUEST = 30_000;

/** Puts the guard before everything that the HTTP server answers for the API. */
@Injectable()
export class Entrance implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost<FastifyAdapter>,
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator | null,
    @Inject(ENTRANCE_OPTIONS) private readonly options: EntranceOptions,
  ) {}

  onModuleInit(): void {
    const { httpAdapter } = this.host;
    const { origins } = this.options;
    if (origins.length > 0) httpAdapter.enableCors({ origin: [...origins], methods: ['POST', 'GET'] });
    const server = httpAdapter.getInstance();
    server.server.headersTimeout = SLOWEST_REQUEST;
    server.server.requestTimeout = SLOWEST_REQUEST;
    guardHttp(server, { ...this.options, authenticator: this.authenticator });
  }
}
