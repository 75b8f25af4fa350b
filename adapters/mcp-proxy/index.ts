/** `holdpoint mcp`: what its command starts. Loads nothing heavy: a server's process comes first. */
export type { ServerCommand } from './child.ts'
export type { GateTerms } from './http/terms.ts'
export { Operator } from './operator.ts'
export { type HttpTerms, serveOverHttp } from './serve-over-http.ts'
export { type StdioServed, serveStdio } from './serve-stdio.ts'
export { settledWithin } from './settled-within.ts'
