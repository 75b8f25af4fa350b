import { lineOf } from '../bytes/place.ts'
import { HoldpointError } from '../errors.ts'

/**
 * The one shape of a configuration error: `file:line:column: what is wrong`, with `file:line` as its `at`.
 *
 * @param place `file:line:column`, a path, or `createGate options`
 */
export function configError(place: string, message: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `${place}: ${message}`, { at: lineOf(place), cause })
}
