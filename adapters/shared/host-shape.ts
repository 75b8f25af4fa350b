import { HoldpointError } from '../../src/index.ts'

/** A host's package as `peerDependencies` has it. */
export interface HostPackage {
  readonly name: string
  readonly range: string
}

/**
 * A function that an adapter needs of what its host has made.
 *
 * No host says at run time which version it is, and npm refuses to install one outside the range only where nobody forces it. So
 * what counts is the shape: without what every version in the range has, nothing is guarded, and so nothing is handed back to run.
 *
 * @param what how people are told which thing it is: `the tool "read"`
 * @throws HoldpointError ERR_HOST naming the member, the package and its range
 */
export function methodOf(host: HostPackage, thing: object, what: string, name: string): (...given: never[]) => unknown {
  const found: unknown = Reflect.get(thing, name)
  if (typeof found === 'function') return found as (...given: never[]) => unknown
  throw new HoldpointError(
    'ERR_HOST',
    `${what} has no ${name}(), and every version of ${host.name} in ${host.range} gives it one. Was it made by another version? Install one in that range: npm install ${host.name}@"${host.range}"`,
    { at: host.name },
  )
}

/**
 * Where an old release takes what an adapter gives it, and does nothing with it, no shape can tell: then its own version has to.
 *
 * @param found what the package says of itself
 * @param oldest the first release that has what is needed, as `1.71.0`
 * @throws HoldpointError ERR_HOST naming both; for a version that cannot be read, too
 */
export function refuseOlder(host: HostPackage, found: unknown, oldest: string, why: string): void {
  if (isAtLeast(found, oldest)) return
  throw new HoldpointError(
    'ERR_HOST',
    `${host.name} is ${String(found)} here, and ${why}. Install a version in the range: npm install ${host.name}@"${host.range}"`,
    { at: host.name },
  )
}

/** Of the same major: the next one may have dropped what this one has. */
function isAtLeast(found: unknown, oldest: string): boolean {
  const [major, minor, patch] = numbersOf(found)
  const [needed, least, first] = numbersOf(oldest)
  if (major === undefined || minor === undefined || patch === undefined) return false
  if (needed === undefined || least === undefined || first === undefined) return false
  return major === needed && (minor > least || (minor === least && patch >= first))
}

function numbersOf(version: unknown): readonly number[] {
  const [, ...parts] = /^(\d+)\.(\d+)\.(\d+)/.exec(typeof version === 'string' ? version : '') ?? []
  return parts.map(Number)
}
