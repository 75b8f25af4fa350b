import { HoldpointError } from '../../src/index.ts'

/** Where the proxy is to listen, and what protects it there. */
export interface ListenTerms {
  /** As it was written: an address or a name, IPv6 with or without brackets. */
  readonly host: string
  /** Does the proxy speak TLS itself? */
  readonly tls: boolean
  /** Did the operator say that a reverse proxy of theirs stands in front, and speaks TLS? */
  readonly behindProxy: boolean
  /** Is a bearer token asked of every request? */
  readonly authenticated: boolean
}

const LOOPBACK = /^(?:localhost|127(?:\.(?:0|[1-9]\d{0,2})){3}|::1|\[::1\])$/i

/** Can only this machine reach this address? An address in an odd notation counts as one that others can reach. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/**
 * Refuses to listen where strangers could call tools: beyond this machine only with TLS and with authentication. Behind a reverse
 * proxy even this machine's own address is open to whomever that one lets in.
 *
 * @throws HoldpointError ERR_CONFIG, saying what is missing
 */
export function checkAddress({ host, tls, behindProxy, authenticated }: ListenTerms): void {
  if (isLoopback(host) && !behindProxy) return
  const reach = isLoopback(host) ? 'behind a reverse proxy' : `on ${host}`
  if (!tls && !behindProxy)
    throw refused(`${reach} tokens and tool calls would travel in the clear: give a certificate (--tls-cert, --tls-key), or say
 that a reverse proxy speaks TLS in front (--behind-proxy); or listen on 127.0.0.1`)
  if (!authenticated)
    throw refused(
      `${reach} anybody could call the tools: say whose tokens to check (--issuer, --jwks, --audience)${
        isLoopback(host) ? '' : ', or listen on 127.0.0.1'
      }`,
    )
}

function refused(why: string): HoldpointError {
  return new HoldpointError('ERR_CONFIG', why.replaceAll('\n', ''), { at: '--listen' })
}
