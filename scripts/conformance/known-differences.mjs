// Where the way through holdpoint comes out otherwise, and must: each with its reason. Shown with every run, and in docs/mcp.md.
const KNOWN = [
  {
    role: 'server',
    revision: '2025-11-25',
    route: 'HTTP → stdio',
    scenario: 'server-sse-polling',
    id: 'server-sse-disconnect-resume',
    direct: '1 SUCCESS',
    through: 'INFO',
    reason: 'a server that speaks stdio has no stream that it could close in the middle of a call',
  },
  {
    role: 'client',
    revision: '2026-07-28',
    route: 'HTTP → HTTP',
    scenario: 'http-custom-headers',
    id: 'sep-2243-client-omit-null',
    direct: '1 SUCCESS',
    through: '1 FAILURE',
    reason:
      'the scenario calls a tool with null where its own schema says boolean: the gate refuses arguments that do not fit',
  },
]

/** What is known to differ in one run. */
export function knownDifferences({ role, revision, route }) {
  return KNOWN.filter((one) => one.role === role && one.revision === revision && one.route === route)
}
