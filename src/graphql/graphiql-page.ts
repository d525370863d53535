export const GRAPHIQL_PAGE = '<!doctype html><title>GraphQL</title>';
