import { Controller, Get, Header } from '@nestjs/common';
import { GRAPHIQL_PAGE } from './graphiql-page.js';

/** Nothing from elsewhere, neither loaded nor asked; the page may not stand in another one. */
const POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "connect-src 'self'",
  "frame-ancestors 'none'",
].join('; ');

@Controller()
export class GraphiqlController {
  @Get('graphiql')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-store')
  @Header('content-security-policy', POLICY)
  page(): string {
    return GRAPHIQL_PAGE;
  }
}
