import { sha256, unbase, Wrong } from './bytes.ts'
import { ed25519 } from './curve.ts'

/** C2SP: signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy. */
export interface Tree {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

export interface Note {
  readonly text: string
  readonly lines: readonly { readonly name: string; readonly id: string; readonly bytes: Buffer }[]
  readonly tree: Tree
}

export function noteOf(whole: string): Note {
  const hasControls = [...whole].some((one) => one < ' ' && one !== '\n')
  if (Buffer.byteLength(whole) > 262_144 || hasControls) throw new Wrong('no note')
  const gap = whole.lastIndexOf('\n\n')
  const below = whole.slice(gap + 2)
  if (gap < 0 || !below.endsWith('\n')) throw new Wrong('no note')
  const rows = below.slice(0, -1).split('\n')
  if (below === '' || rows.length > 64) throw new Wrong('no signature')
  const lines = rows.map((row) => {
    const [dash, name, encoded, ...more] = row.split(' ')
    if (dash !== '—' || name === undefined || encoded === undefined || more.length > 0) throw new Wrong('no signature')
    const bytes = unbase(encoded, 'base64')
    if (!/^[^\p{White_Space}+]+$/u.test(name) || bytes.length < 5) throw new Wrong('no signature')
    return { name, id: bytes.subarray(0, 4).toString('hex'), bytes: bytes.subarray(4) }
  })
  const text = whole.slice(0, gap + 1)
  return { text, lines, tree: treeOf(text) }
}

function treeOf(text: string): Tree {
  const lines = text.slice(0, -1).split('\n')
  const [origin = '', size = '', root = ''] = lines
  if (lines.length < 3 || lines.includes('') || !/^(0|[1-9][0-9]{0,15})$/.test(size)) throw new Wrong('no checkpoint')
  const hash = unbase(root, 'base64')
  if (hash.length !== 32 || !Number.isSafeInteger(Number(size))) throw new Wrong('no checkpoint')
  if (Number(size) === 0 && !hash.equals(sha256(''))) throw new Wrong('no empty tree')
  return { origin, size: Number(size), root: hash }
}

interface Party {
  readonly name: string
  readonly id: string
  readonly type: number
  readonly raw: Buffer
}

type Quorum = (has: (name: string) => boolean) => boolean

export interface Policy {
  readonly logs: readonly Party[]
  readonly witnesses: ReadonlyMap<string, Party>
  readonly asksNobody: boolean
  readonly isQuorum: Quorum
}

function partyOf(vkey: string): Party {
  const [name = '', id = '', ...rest] = vkey.split('+')
  const bytes = unbase(rest.join('+'), 'base64')
  const expected = sha256(name, '\n', bytes).subarray(0, 4).toString('hex')
  if (id !== expected || bytes.length !== 33) throw new Wrong('no key')
  return { name, id, type: bytes[0] ?? 0, raw: bytes.subarray(1) }
}

export function policyOf(text: string): Policy {
  const logs: Party[] = []
  const witnesses = new Map<string, Party>()
  const quorums = new Map<string, Quorum>([['none', () => true]])
  let quorum = 'none'
  for (const line of text.split('\n')) {
    const [what, ...items] = line.split(/[ \t]+/).filter((item) => item !== '')
    const [name = '', second = ''] = items
    if (what === 'log') logs.push(partyOf(name))
    if (what === 'witness') {
      witnesses.set(name, partyOf(second))
      quorums.set(name, (has) => has(name))
    }
    if (what === 'group') {
      const members = items.slice(2)
      const least = second === 'all' ? members.length : second === 'any' ? 1 : Number(second)
      quorums.set(name, (has) => members.filter((member) => quorums.get(member)?.(has)).length >= least)
    }
    if (what === 'quorum') quorum = name
  }
  return { logs, witnesses, asksNobody: quorum === 'none', isQuorum: (has) => quorums.get(quorum)?.(has) === true }
}

export type Verdict = 'unknown' | 'false' | 'unsigned' | 'unwitnessed' | 'trusted'

export async function judge({ text, lines, tree }: Note, policy: Policy | undefined): Promise<Verdict> {
  const logs = policy?.logs.filter(({ name }) => name === tree.origin) ?? []
  if (policy === undefined || logs.length === 0) return 'unknown'
  const signed = new Set<Party>()
  for (const { name, id, bytes } of lines) {
    for (const party of [...logs, ...policy.witnesses.values()]) {
      if (party.name !== name || party.id !== id) continue
      if (!(await holds(party, text, bytes))) return 'false'
      signed.add(party)
    }
  }
  if (!logs.some((log) => signed.has(log))) return 'unsigned'
  const has = (name: string): boolean => {
    const witness = policy.witnesses.get(name)
    return witness !== undefined && signed.has(witness)
  }
  return policy.isQuorum(has) ? 'trusted' : 'unwitnessed'
}

async function holds({ type, raw }: Party, text: string, bytes: Buffer): Promise<boolean> {
  if (type === 1) return await ed25519(raw, bytes, Buffer.from(text))
  if (type !== 4 || bytes.length !== 72) return false
  const time = bytes.readBigUInt64BE(0)
  if (time === 0n || time > BigInt(Number.MAX_SAFE_INTEGER)) return false
  return await ed25519(raw, bytes.subarray(8), Buffer.from(`cosignature/v1\ntime ${time}\n${text}`))
}
