import { sha256 } from '../bytes/digest.ts'

/**
 * Salted commitments: what a receipt says about arguments, requests and results without holding them.
 *
 * Whoever is given the salt and the text can recompute the commitment; nobody else can guess an amount or an account from
 * it. Destroying the salt and the text erases the data and leaves every proof intact. Unsalted digests of such values are
 * never written anywhere.
 */

/**
 * The salt of one opening, of the call's own salt: SHA-256 over the RFC 8785 text of `["hp-salt/1", opening, salt]`.
 *
 * Whoever is shown a request has its salt, and must not be able to try out results with it. The call's own salt goes to nobody.
 */
export function saltFor(opening: 'request' | 'result', salt: string): string {
  return sha256(`["hp-salt/1",${JSON.stringify(opening)},${JSON.stringify(salt)}]`)
}

/** SHA-256 over the RFC 8785 text of `["hp-args/1", salt, server, tool, arguments]`. `argumentsText` is canonical already. */
export function commitArguments(salt: string, server: string, tool: string, argumentsText: string): string {
  return sha256(
    `["hp-args/1",${JSON.stringify(salt)},${JSON.stringify(server)},${JSON.stringify(tool)},${argumentsText}]`,
  )
}

/** SHA-256 over the RFC 8785 text of `["hp-request/1", salt, request]`. `requestText` is canonical already. */
export function commitRequest(salt: string, requestText: string): string {
  return sha256(`["hp-request/1",${JSON.stringify(salt)},${requestText}]`)
}

/** SHA-256 over the RFC 8785 text of `["hp-result/1", salt, result]`, the result being its text as a JSON string. */
export function commitResult(salt: string, text: string): string {
  return sha256(`["hp-result/1",${JSON.stringify(salt)},${JSON.stringify(text)}]`)
}
