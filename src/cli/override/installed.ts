import { overrideFolder } from '../../override/folder.ts'
import { readOverride } from '../../override/signed.ts'
import { hasStore } from '../../store/sqlite-reader.ts'
import type { Situation } from '../context.ts'
import { reasonOf } from '../exit.ts'
import { readerOf, storeOf } from '../receipts.ts'
import { judge, trustedHere } from './file.ts'
import type { Told } from './tell.ts'

/** What is in the folder of overrides. */
export interface Installed {
  /** The one that ends last comes first. */
  readonly overrides: readonly Told[]
  /** Files that hold no override. */
  readonly unreadable: readonly { readonly id: string; readonly because: string }[]
  /** Ids that were revoked and are not installed. */
  readonly revoked: readonly string[]
}

/** @throws HoldpointError ERR_CONFIG when the folder cannot be relied on */
export async function installedHere(situation: Situation, at: number): Promise<Installed> {
  const keys = trustedHere(situation)
  const { overrides, revoked } = await overrideFolder(situation.places.overrides).read()
  const usesOf = usesIn(situation)
  const told: Told[] = []
  const unreadable: { readonly id: string; readonly because: string }[] = []
  for (const [id, file] of overrides) {
    try {
      if ('unreadable' in file) throw new Error(file.unreadable)
      const signed = readOverride(file.text)
      if (signed.id !== id) throw new Error(`it is ${signed.id}`)
      const uses = await usesOf(id)
      told.push({ ...judge(signed, keys, { revoked: revoked.has(id), at }), ...(uses === undefined ? {} : { uses }) })
    } catch (error) {
      unreadable.push({ id, because: reasonOf(error) })
    }
  }
  return {
    overrides: told.sort((one, other) => other.signed.claims.expires - one.signed.claims.expires),
    unreadable,
    revoked: [...revoked].filter((id) => !overrides.has(id)).sort(),
  }
}

export async function revokedIn({ places }: Situation): Promise<ReadonlySet<string>> {
  return (await overrideFolder(places.overrides).read()).revoked
}

/** How often an override was used, where there is a store to ask. */
function usesIn(situation: Situation): (id: string) => Promise<number | undefined> {
  if (situation.places.store.kind === 'memory') return async () => undefined
  const at = storeOf(situation)
  return async (id) => {
    if (typeof at === 'string' && !hasStore(at)) return 0
    const reader = readerOf(at)
    try {
      return await reader.overrideUses(id)
    } finally {
      await reader.close()
    }
  }
}
