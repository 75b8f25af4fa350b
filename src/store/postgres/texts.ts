import type { Work } from '../sqlite-messages.ts'

/** An index takes no longer keys than some 2,700 bytes. */
const LONGEST_KEY = 600

/** The texts that the database keeps as they are. What is hashed or written as JSON fits whatever it says. */
export function textsOf(work: Work): readonly string[] {
  switch (work.do) {
    case 'append':
    case 'commit': {
      const { id, hash, stream, prev, kind, jws } = work.receipt
      const { salt, request } = work.sidecar ?? { salt: '', request: '' }
      return [id, hash, stream, prev ?? '', kind, jws, salt, request, ...keysOf(work)]
    }
    default:
      return keysOf(work)
  }
}

/** Why a text of some work cannot be stored; absent where all can. PostgreSQL takes no NUL and no half of a surrogate pair. */
export function unstorable(work: Work): string | undefined {
  if (textsOf(work).some((text) => text.includes('\0') || !text.isWellFormed()))
    return 'PostgreSQL cannot store this text: it has a NUL, or half of a character'
  if (keysOf(work).some((key) => key.length > LONGEST_KEY)) return `a name is longer than ${LONGEST_KEY} characters`
  return undefined
}

function keysOf(work: Work): readonly string[] {
  switch (work.do) {
    case 'append':
      return work.settles === undefined ? [] : [work.settles.decision]
    case 'commit': {
      const { inputDigest, approval, override, session } = work.claim
      return [inputDigest, approval ?? '', override?.id ?? '', session?.tool ?? '']
    }
    case 'request':
      return [work.request.ref, work.request.requestDigest]
    case 'find':
      return [work.digest]
    case 'get':
    case 'answer':
      return [work.ref]
    case 'attend':
      return [work.watcher]
    default:
      return []
  }
}
