/** What the doctor has to say of overrides. */
import { existsSync } from 'node:fs'
import { counted } from '../../bytes/counted.ts'
import { overrideKeys } from '../../override/keys.ts'
import { loadKey } from '../../receipt/key-file.ts'
import type { JsonObject } from '../../types.ts'
import type { Situation } from '../context.ts'
import type { Finding } from '../doctor.ts'
import { reasonOf } from '../exit.ts'
import { installedHere } from './installed.ts'
import { isGood } from './tell.ts'

/** Nothing where overrides are off. */
export async function overrideFindings(situation: Situation, at: number): Promise<readonly Finding[]> {
  const { config, places } = situation
  const trusted = config.options.trust?.override ?? []
  if (trusted.length === 0) return []
  try {
    const receiptKid = existsSync(places.keyFile) ? loadKey(places.keyFile).kid : undefined
    const { size } = overrideKeys(trusted as unknown as readonly JsonObject[], receiptKid)
    const live = (await installedHere(situation, at)).overrides.filter(
      (one) => one.standing.kind === 'live' && isGood(one),
    )
    const who = `${counted(size, 'key')} in trust.override may sign`
    return [
      ...(live.length === 0
        ? [finding('good', `${who}; none is live`)]
        : live.map(({ signed: { id, claims } }) =>
            finding(
              'warning',
              `${id} is live: ${claims.reason} (${claims.ticket}), until ${new Date(claims.expires).toISOString()}`,
            ),
          )),
      ...(config.options.environment?.['name'] === undefined
        ? [
            finding(
              'warning',
              'environment.name is not set: no override finds its environment, unless the program names it',
            ),
          ]
        : []),
      ...(size === 1
        ? [
            finding(
              'warning',
              'with one key in trust.override, nothing wider than one tool and one principal can be signed',
            ),
          ]
        : []),
    ]
  } catch (error) {
    return [finding('problem', reasonOf(error))]
  }
}

function finding(state: Finding['state'], says: string): Finding {
  return { about: 'overrides', state, says }
}
