/** `holdpoint mcp`: what its command starts. Loads nothing heavy: a server's process comes first. */
export { Operator } from './operator.ts'
export { type HttpTerms, serveOverHttp } from './serve-over-http.ts'
export { type StdioServed, serveStdio } from './serve-stdio.ts'
