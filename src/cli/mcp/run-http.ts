import { type HttpTerms, type Operator, serveOverHttp } from '../../../adapters/mcp-proxy/index.ts'
import { UnusableInput } from '../exit.ts'
import { openGate } from './gate.ts'
import { type Flags, type Plan, wholeNumber } from './plan.ts'
import type { ProxyEnd } from './run.ts'

/** Serves over HTTP until it is told to stop. */
export async function runHttp(
  plan: Extract<Plan, { readonly kind: 'http' }>,
  operator: Operator,
  stopping: AbortSignal,
): Promise<ProxyEnd> {
  const { terms, announce, close } = await openGate(plan.gate, operator)
  try {
    const served = await serveOverHttp({ ...httpTerms(plan), ...terms })
    announce()
    operator.tell(`listening: ${plan.upstreams.map(({ name }) => `${served.address}/mcp/${name}`).join(', ')}`)
    if (!stopping.aborted) await new Promise((done) => stopping.addEventListener('abort', done, { once: true }))
    await served.close()
    return { kind: 'served', code: 0 }
  } finally {
    await close()
  }
}

function httpTerms({ host, port, upstreams, flags, timeoutMs }: Extract<Plan, { readonly kind: 'http' }>) {
  const { publicUrl, origin } = flags
  return {
    host,
    port,
    upstreams,
    upstreamHeaders: flags.upstreamHeader ?? [],
    behindProxy: flags.behindProxy === true,
    limits: limitsOf(flags, timeoutMs),
    ...tlsOf(flags),
    ...tokensOf(flags),
    ...(publicUrl === undefined ? {} : { publicUrl: urlOf('--public-url', publicUrl) }),
    ...(origin === undefined ? {} : { origins: origin.map((one) => urlOf('--origin', one).origin) }),
  }
}

function limitsOf(flags: Flags, timeoutMs: number | undefined): NonNullable<HttpTerms['limits']> {
  const { maxSessions, maxChildren, idle } = flags
  return {
    ...(timeoutMs === undefined ? {} : { answerMs: timeoutMs }),
    ...(maxSessions === undefined ? {} : { maxSessions: wholeNumber('--max-sessions', maxSessions, 100_000) }),
    ...(maxChildren === undefined ? {} : { maxChildren: wholeNumber('--max-children', maxChildren, 10_000) }),
    ...(idle === undefined ? {} : { idleMs: 60_000 * wholeNumber('--idle', idle, 10_080) }),
  }
}

function tlsOf({ tlsCert, tlsKey }: Flags): Pick<HttpTerms, 'tls'> {
  if (tlsCert === undefined && tlsKey === undefined) return {}
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UnusableInput('a certificate and its key belong together: --tls-cert FILE --tls-key FILE')
  return { tls: { cert: tlsCert, key: tlsKey } }
}

function tokensOf(flags: Flags): Pick<HttpTerms, 'tokens'> {
  const { issuer, jwks, audience, scope, rolesClaim, tenantClaim, agentClaim, accessTokenType } = flags
  if (issuer === undefined && jwks === undefined) {
    const stray = audience ?? scope ?? rolesClaim ?? tenantClaim ?? agentClaim ?? accessTokenType
    if (stray === undefined) return {}
    throw new UnusableInput('tokens are checked where it is said whose: --issuer URL --jwks URL|FILE')
  }
  if (issuer === undefined || jwks === undefined)
    throw new UnusableInput('an issuer and its keys belong together: --issuer URL --jwks URL|FILE')
  return {
    tokens: {
      issuer,
      jwks,
      ...(audience === undefined ? {} : { audience }),
      ...(scope === undefined ? {} : { scopes: scope }),
      ...(rolesClaim === undefined ? {} : { rolesClaim }),
      ...(tenantClaim === undefined ? {} : { tenantClaim }),
      ...(agentClaim === undefined ? {} : { agentClaim }),
      ...(accessTokenType === undefined ? {} : { accessTokenType }),
    },
  }
}

function urlOf(flag: string, written: string): URL {
  if (URL.canParse(written) && /^https?:\/\//i.test(written)) return new URL(written)
  throw new UnusableInput(`${flag}: "${written}" is no http or https URL`)
}
