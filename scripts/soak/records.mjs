// What the store says against what the servers did.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Calls that a server executed, as `tool mark`. */
export function executedIn(file) {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .filter((line) => line.includes(' '))
  } catch {
    return []
  }
}

/** Calls that were permitted, as `tool mark`, each with how often; and how many decisions there are of each kind. */
export function decidedIn(folder) {
  const permitted = new Map()
  const counts = { permitted: 0, refused: 0, confirmed: 0 }
  for (const name of slotFilesIn(folder)) {
    const db = new DatabaseSync(path.join(folder, name), { readOnly: true })
    const rows = db.prepare(
      "SELECT jws, request FROM receipts JOIN sidecars ON sidecars.receipt = receipts.id WHERE kind = 'decision'",
    )
    for (const { jws, request } of rows.iterate()) {
      const claims = JSON.parse(Buffer.from(jws.split('.')[1], 'base64url').toString())
      const { resource, context } = JSON.parse(request)
      if (claims.permit === undefined) {
        counts.refused += 1
        continue
      }
      counts.permitted += 1
      if (claims.approval !== undefined) counts.confirmed += 1
      const call = `${resource.id.split('/')[1]} ${context.arguments.mark}`
      permitted.set(call, (permitted.get(call) ?? 0) + 1)
    }
    db.close()
  }
  return { permitted, counts }
}

/** Calls that ran without a permit of their own, or once more than they were permitted. */
export function unpermitted(executed, permitted) {
  const left = new Map(permitted)
  return executed.filter((call) => {
    const times = left.get(call) ?? 0
    left.set(call, times - 1)
    return times < 1
  })
}

/** How many slots the store has. */
export function slotsIn(folder) {
  return slotFilesIn(folder).length
}

function slotFilesIn(folder) {
  return readdirSync(folder).filter((name) => /^receipts-\d+\.db$/.test(name))
}
