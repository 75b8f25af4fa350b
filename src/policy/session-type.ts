import { SURFACES } from '../types.ts'
import { type Attributes, BOOLEAN, type CedarType, DECIMAL, LONG, optional, recordOf } from './cedar-type.ts'
import { type Use, useOf } from './uses.ts'

/**
 * The type of `context.session`. Of the tools that calls and amounts are kept by, those that policies name: a type that listed
 * every tool would make each of them dearer by all the others.
 */
export function sessionType(session: Use | undefined): CedarType {
  const counted = (use: Use | undefined): Attributes => {
    const perTool = (member: string, type: CedarType): CedarType => {
      const named = [...(useOf(use, member)?.members.keys() ?? [])]
      return recordOf(Object.fromEntries(named.map((id) => [id, optional(type)])))
    }
    const perSurface = (type: CedarType): CedarType =>
      recordOf(Object.fromEntries(SURFACES.map((surface) => [surface, type])))
    return {
      calls: perTool('calls', LONG),
      spent: perTool('spent', DECIMAL),
      surfaces: recordOf({ calls: perSurface(LONG), spent: perSurface(DECIMAL) }),
    }
  }
  const sums: Attributes = { calls: LONG, spent: DECIMAL, after: DECIMAL }
  const here: Attributes = { ...sums, surface: recordOf(sums) }
  return recordOf({
    ...counted(session),
    hour: recordOf(counted(useOf(session, 'hour'))),
    day: recordOf(counted(useOf(session, 'day'))),
    private_data_read: BOOLEAN,
    untrusted_content_read: BOOLEAN,
    here: recordOf({ ...here, hour: recordOf(here), day: recordOf(here) }),
  })
}
