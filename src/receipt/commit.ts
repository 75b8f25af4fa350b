import { sha256 } from '../bytes/digest.ts'
import { argumentsPreimage, requestPreimage, resultPreimage } from './preimage.ts'

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

/** What a receipt says of its arguments. `argumentsText` is canonical already. */
export function commitArguments(salt: string, server: string, tool: string, argumentsText: string): string {
  return sha256(argumentsPreimage(salt, server, tool, argumentsText))
}

/** What a receipt says of the evaluation request. `requestText` is canonical already. */
export function commitRequest(salt: string, requestText: string): string {
  return sha256(requestPreimage(salt, requestText))
}

/** What a receipt says of a result. */
export function commitResult(salt: string, text: string): string {
  return sha256(resultPreimage(salt, text))
}
