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
