import { Controller, Get, Header } from '@nestjs/common';
import { GRAPHIQL_PAGE } from './graphiql-page.js';

@Controller()
export class GraphiqlController {
  @Get('graphiql')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-store')
  page(): string {
    return GRAPHIQL_PAGE;
  }
}
