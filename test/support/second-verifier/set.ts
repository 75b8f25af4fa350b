import { crockford, type Value } from './bytes.ts'

export type Claims = ReadonlyMap<string, Value>
export type Fail = (check: string) => void

/** What is between receipts: docs/receipts.md, "How to check", from continuity to spent. */
export interface Good {
  readonly hash: string
  readonly kid: string
  readonly claims: Claims
}

const member = (claims: Claims | undefined, name: string): Claims | undefined => {
  const value = claims?.get(name)
  return value instanceof Map ? value : undefined
}
const text = (claims: Claims | undefined, name: string): string | undefined => claims?.get(name) as string | undefined

export interface SetVerdict {
  readonly settled: boolean
  readonly sealed: boolean
  readonly isOrphan: boolean
}

export function checkSet(good: readonly Good[], scope: 'set' | 'log' | 'part', fail: Fail): SetVerdict {
  for (const { claims } of good) if (claims.get('kind') === 'decision' && groundless(claims)) fail('grounds')
  const sealed = streams(good, scope, fail)
  return { settled: calls(good, scope, fail), ...sealed, isOrphan: orphans(good, scope, fail) }
}

function streams(good: readonly Good[], scope: string, fail: Fail): { readonly sealed: boolean } {
  const heads = new Map<string, { first: Good; at: Good; isSealed: boolean }>()
  for (const one of good) {
    const { claims } = one
    const [name, seq, kind] = [text(claims, 'stream') ?? '', Number(claims.get('seq')), claims.get('kind')]
    const head = heads.get(name)
    if (head === undefined) {
      const isStart = seq === 0 && kind === 'open' && !claims.has('prev') && claims.get('kid') === one.kid
      const isInside = scope === 'part' && seq > 0 && kind !== 'open' && claims.has('prev')
      if (!isStart && !isInside) fail('continuity')
      heads.set(name, { first: one, at: one, isSealed: kind === 'seal' })
      continue
    }
    const before = Number(head.at.claims.get('seq'))
    const isNext = seq === before + 1 && claims.get('prev') === head.at.hash
    const isFurther = scope === 'part' && seq > before + 1
    const isSame = one.kid === head.first.kid && claims.get('iss') === head.first.claims.get('iss')
    if (!(isNext || isFurther) || !isSame || kind === 'open' || head.isSealed) fail('continuity')
    if (seq > before) heads.set(name, { ...head, at: one, isSealed: kind === 'seal' })
  }
  const vouched = new Set<string>()
  for (const { first } of heads.values()) {
    const last = first.claims.get('kind') === 'open' ? member(first.claims, 'last') : undefined
    if (last === undefined) continue
    const earlier = heads.get(text(last, 'stream') ?? '')
    if (earlier === undefined) {
      if (scope === 'log') fail('completeness')
      continue
    }
    const [reached, said] = [Number(earlier.at.claims.get('seq')), Number(last.get('seq'))]
    const isShort = reached < said
    const isOther = reached === said && earlier.at.hash !== last.get('hash')
    if (isOther || (isShort && scope !== 'part')) fail('continuity')
    else vouched.add(text(last, 'stream') ?? '')
  }
  return { sealed: [...heads].every(([name, { isSealed }]) => isSealed || vouched.has(name)) }
}

function groundless(claims: Claims): boolean {
  const get = (name: string): Value | undefined => claims.get(name)
  const override = member(claims, 'override')
  const isOverridden = override !== undefined
  if (isOverridden !== (get('basis') === 'override')) return true
  if (isOverridden) {
    const isAbsent = ['timeout', 'unavailable', 'circuit_open'].includes(text(claims, 'fault') ?? '')
    const id = `ov_${crockford(Buffer.from(text(override, 'digest') ?? '', 'base64url').subarray(0, 16))}`
    const isMedium = get('materiality') === 'medium' && get('decision') === 'silence'
    if (!claims.has('permit') || !isMedium || !isAbsent || text(override, 'id') !== id) return true
  }
  if (!claims.has('permit')) return false
  if (claims.has('code') || !claims.has('call')) return true
  if (get('enforced') === false || get('decision') === 'permit' || isOverridden) return false
  return !(get('decision') === 'silence' && get('basis') === 'fail_open' && get('materiality') === 'low')
}

function calls(good: readonly Good[], scope: string, fail: Fail): boolean {
  const decisions = new Map<string, Claims>()
  for (const { hash, claims } of good) if (claims.get('kind') === 'decision') decisions.set(hash, claims)
  const ended = new Set<string>()
  const ran = new Set<string>()
  const uses = new Map<string, { most: number; calls: number }>()
  for (const { claims } of good) {
    if (claims.get('kind') !== 'outcome') continue
    const of = text(claims, 'decision') ?? ''
    const decision = decisions.get(of)
    const mayRun = decision !== undefined && (decision.has('permit') || decision.get('enforced') === false)
    const isKnown = decision !== undefined || scope === 'part'
    if (ended.has(of) || !isKnown || (decision !== undefined && !mayRun)) fail('pairing')
    const isFirst = !ended.has(of)
    if (mayRun || decision === undefined) ended.add(of)
    if (!isFirst || !mayRun || claims.get('status') === 'not_executed') continue
    const call = decision.has('permit') ? text(decision, 'call') : undefined
    if (call !== undefined && ran.has(call)) fail('spent')
    if (call !== undefined) ran.add(call)
    const override = member(decision, 'override')
    if (override === undefined) continue
    const digest = text(override, 'digest') ?? ''
    const use = uses.get(digest) ?? { most: Number(override.get('most')), calls: 0 }
    use.calls += 1
    uses.set(digest, use)
    if (use.calls > use.most) fail('grounds')
  }
  return [...decisions].every(([hash, decision]) => !decision.has('permit') || ended.has(hash))
}

/** Is a parent of some decision nowhere in the set? */
function orphans(good: readonly Good[], scope: string, fail: Fail): boolean {
  const all = new Set(good.map(({ hash }) => hash))
  const before = new Set<string>()
  let isOrphan = false
  for (const { hash, claims } of good) {
    before.add(hash)
    const parents = claims.get('kind') === 'decision' ? claims.get('parents') : undefined
    for (const parent of (parents ?? []) as string[]) {
      if (scope === 'log' && !before.has(parent)) fail('lineage')
      if (!all.has(parent)) isOrphan = true
    }
  }
  return isOrphan && scope !== 'log'
}
