import { canonical, canonicalObject, hashesIn, sha256, strict, unbase, type Value, Wrong } from './bytes.ts'
import { type Key, keyOf } from './curve.ts'
import { judge, type Note, noteOf, type Policy, policyOf, type Tree, type Verdict } from './notes.ts'
import { type Claims, checkSet, type Good } from './set.ts'
import { checkShape } from './shapes.ts'
import { climb, isBeginning, rootOf } from './tree.ts'

/** What somebody trusts, as for the first verifier. */
export interface Trust {
  readonly keys: readonly { readonly [member: string]: unknown }[]
  readonly log?: string
  readonly checkpoints?: readonly string[]
}

export interface Opinion {
  readonly ok: boolean
  readonly complete: boolean
  readonly count: number
  readonly results: { readonly [check: string]: string }
}

const NAMES =
  'bundle envelope signature payload keys continuity lineage grounds pairing spent definitions policies overrides approvals inclusion consistency witnesses completeness openings presence'.split(
    ' ',
  )
const OF_RECEIPTS =
  'payload keys continuity lineage grounds pairing spent definitions policies overrides approvals'.split(' ')

interface Checkpoint {
  readonly note: Note
  readonly verdict: Verdict
  readonly proof: readonly Buffer[] | undefined
  /** Where no proof came: the root of the receipts so far. */
  readonly grown: Buffer | undefined
}

/** Reads a whole bundle, and says of each check how it came out. */
export async function secondOpinion(lines: readonly string[], trust: Trust): Promise<Opinion> {
  const reading = new Reading(trust)
  await reading.prepare()
  let isWhole = true
  try {
    for (const line of lines) await reading.line(line)
    isWhole = reading.isEnded
  } catch (error) {
    if (!(error instanceof Wrong)) throw error
    isWhole = false
  }
  return reading.close(isWhole)
}

class Reading {
  readonly #trust: Trust
  readonly #failed = new Set<string>()
  readonly #doubted = new Set<string>()
  readonly #keys = new Map<string, Key>()
  readonly #retired = new Set<string>()
  readonly #good: Good[] = []
  readonly #openable = new Map<string, Claims>()
  readonly #leaves: Buffer[] = []
  readonly #implied: Buffer[] = []
  readonly #checkpoints: Checkpoint[] = []
  #policy: Policy | undefined
  #held: readonly Tree[] = []
  #head: { readonly origin: string; readonly scope: string; readonly size: number } | undefined
  #isTorn = false
  #leaf = -1
  #last: Checkpoint | undefined
  #opened = 0
  #counts = { receipts: 0, openings: 0, checkpoints: 0 }
  isEnded = false

  constructor(trust: Trust) {
    this.#trust = trust
  }

  async prepare(): Promise<void> {
    const { keys, log, checkpoints = [] } = this.#trust
    for (const jwk of keys) {
      const key = await keyOf(jwk)
      this.#keys.set(key.kid, key)
    }
    this.#policy = log === undefined ? undefined : policyOf(log)
    this.#held = checkpoints.map((note) => noteOf(note).tree)
    this.#oneRoleEach()
  }

  #oneRoleEach(): void {
    const parties = [...(this.#policy?.logs ?? []), ...(this.#policy?.witnesses.values() ?? [])]
    if (parties.some(({ raw }) => [...this.#keys.values()].some((key) => key.raw.equals(raw)))) this.#fail('keys')
  }

  async line(line: string): Promise<void> {
    if (this.isEnded || Buffer.byteLength(line) > 131_072) throw new Wrong('too much')
    const value = strict(line, 3)
    if (!(value instanceof Map)) throw new Wrong('no object')
    if (value.has('bundle')) return this.#begin(value)
    if (this.#head === undefined) throw new Wrong('no head')
    if (value.has('end')) return this.#end(value)
    if (this.#last !== undefined) throw new Wrong('behind the last checkpoint')
    if (value.has('receipt')) return await this.#receipt(value)
    if (value.has('opening')) return this.#opening(value)
    if (value.has('checkpoint')) return await this.#checkpoint(value)
    throw new Wrong('no such line')
  }

  #fail(check: string): void {
    this.#failed.add(check)
  }

  #begin(value: Claims): void {
    only(value, ['bundle', 'origin', 'scope', 'size'])
    const [origin, scope] = [text(value, 'origin'), text(value, 'scope')]
    if (this.#head !== undefined || value.get('bundle') !== 'holdpoint-bundle/1') throw new Wrong('no head')
    if (scope !== 'log' && scope !== 'part') throw new Wrong('no scope')
    this.#head = { origin, scope, size: size(value, 'size') }
  }

  #end(value: Claims): void {
    only(value, ['end'])
    const inner = value.get('end')
    if (!(inner instanceof Map)) throw new Wrong('no end')
    only(inner, ['receipts', 'openings', 'checkpoints'])
    const isSame = Object.entries(this.#counts).every(([name, count]) => inner.get(name) === count)
    if (!isSame || (this.#size > 0 && this.#last === undefined)) throw new Wrong('other counts')
    this.isEnded = true
  }

  get #size(): number {
    return this.#head?.size ?? 0
  }

  get #isPart(): boolean {
    return this.#head?.scope !== 'log'
  }

  async #receipt(value: Claims): Promise<void> {
    only(value, ['receipt', 'leaf', 'proof'])
    const jws = text(value, 'receipt')
    const proof = value.has('proof') ? hashesIn(value.get('proof')) : undefined
    const leaf = value.has('leaf') ? size(value, 'leaf') : undefined
    if (this.#size === 0 ? leaf !== undefined || proof !== undefined : !this.#isPlaced(leaf, proof)) {
      throw new Wrong('out of place')
    }
    this.#leaf = leaf ?? -1
    this.#counts.receipts += 1
    const envelope = readEnvelope(jws, 'holdpoint-receipt+jwt')
    const hash = envelope === undefined ? undefined : sha256(Buffer.of(0), envelope.payload)
    if (leaf !== undefined) this.#place(leaf, hash, proof)
    if (envelope === undefined || hash === undefined) this.#fail('envelope')
    else if (this.#trust.keys.length > 0) await this.#believe(envelope, hash)
  }

  #isPlaced(leaf: number | undefined, proof: readonly Buffer[] | undefined): boolean {
    if (leaf === undefined || leaf >= this.#size) return false
    return this.#isPart ? proof !== undefined && leaf > this.#leaf : proof === undefined && leaf === this.#leaf + 1
  }

  #place(leaf: number, hash: Buffer | undefined, proof: readonly Buffer[] | undefined): void {
    if (hash === undefined) {
      this.#isTorn = true
      this.#fail('inclusion')
    } else if (proof === undefined) {
      // Behind a leaf that could not be read the others are not at their places.
      if (!this.#isTorn) this.#leaves.push(hash)
    } else {
      const root = climb(hash, leaf, this.#size, proof)
      if (root === undefined || this.#implied.some((other) => !other.equals(root))) this.#fail('inclusion')
      if (root !== undefined && this.#implied.length === 0) this.#implied.push(root)
    }
  }

  async #believe(envelope: Envelope, hash: Buffer): Promise<void> {
    const key = this.#keys.get(envelope.kid)
    if (key === undefined || key.alg !== envelope.alg || !(await key.verify(envelope.signature, envelope.signed))) {
      this.#fail('signature')
      return
    }
    let claims: Claims
    try {
      claims = canonicalObject(envelope.payload)
      checkShape(claims)
    } catch {
      this.#fail('payload')
      return
    }
    if (this.#retired.has(envelope.kid)) {
      if (this.#size > 0 || this.#isPart) {
        this.#fail('keys')
        return
      }
      this.#doubted.add('keys')
    }
    const good = { hash: hash.toString('base64url'), kid: envelope.kid, claims }
    this.#good.push(good)
    this.#openable.set(good.hash, claims)
    if (claims.get('kind') === 'key') await this.#changeKeys(good)
  }

  async #changeKeys({ claims, kid }: Good): Promise<void> {
    const other = text(claims, 'kid')
    if (other === kid) this.#fail('keys')
    else if (claims.get('act') === 'retire') this.#retired.add(other)
    else {
      const key = await this.#added(claims, kid)
      if (key === undefined) this.#fail('keys')
      else if (!this.#keys.has(other)) this.#keys.set(other, key)
      this.#oneRoleEach()
    }
  }

  async #added(claims: Claims, old: string): Promise<Key | undefined> {
    try {
      const key = await keyOf(Object.fromEntries(claims.get('key') as Map<string, Value>))
      const proof = readEnvelope(text(claims, 'proof'), 'holdpoint-key+jwt')
      if (proof === undefined || key.kid !== claims.get('kid') || proof.kid !== key.kid || proof.alg !== key.alg)
        return undefined
      const said = new Map<string, Value>([
        ['v', 1],
        ['old', old],
        ['new', key.kid],
      ])
      for (const name of ['iss', 'stream', 'seq']) said.set(name, claims.get(name) ?? null)
      const isSaid = proof.payload.toString() === canonical(said)
      return isSaid && (await key.verify(proof.signature, proof.signed)) ? key : undefined
    } catch {
      return undefined
    }
  }

  #opening(value: Claims): void {
    only(value, ['opening'])
    const inner = value.get('opening')
    if (!(inner instanceof Map)) throw new Wrong('no opening')
    if (inner.has('statement')) {
      this.#statement(inner)
      return
    }
    const what = inner.has('request') ? 'request' : 'result'
    only(inner, ['receipt', 'salt', what])
    const [hash, salt, opened] = [text(inner, 'receipt'), text(inner, 'salt'), text(inner, what)]
    if (unbase(hash, 'base64url').length !== 32) throw new Wrong('no hash')
    this.#counts.openings += 1
    if (this.#trust.keys.length === 0) return
    if (isOpened(this.#openable.get(hash), what, salt, opened)) this.#opened += 1
    else this.#fail('openings')
  }

  /** Nobody is trusted with approvals here: a statement need only be one that its receipt names. */
  #statement(inner: Claims): void {
    only(inner, ['receipt', 'statement'])
    const [hash, jws] = [text(inner, 'receipt'), text(inner, 'statement')]
    if (unbase(hash, 'base64url').length !== 32) throw new Wrong('no hash')
    this.#counts.openings += 1
    if (this.#trust.keys.length === 0) return
    const digest = sha256(payloadOf(jws)).toString('base64url')
    const claims = this.#openable.get(hash)
    const named = claims?.has('permit') === true ? answersOf(claims) : []
    if (!named.some((answer) => answer.get('statement') === digest)) this.#fail('approvals')
  }

  async #checkpoint(value: Claims): Promise<void> {
    only(value, ['checkpoint', 'proof'])
    const note = noteOf(text(value, 'checkpoint'))
    const proof = value.has('proof') ? hashesIn(value.get('proof')) : undefined
    const { origin, size } = note.tree
    const isLast = size === this.#size
    if (this.#size === 0 || origin !== this.#head?.origin || size > this.#size || size === 0)
      throw new Wrong('another tree')
    this.#counts.checkpoints += 1
    if (this.#counts.checkpoints > 1_024) throw new Wrong('too many')
    if (isLast && (proof !== undefined || (!this.#isPart && this.#counts.receipts !== size)))
      throw new Wrong('not the last')
    if (!isLast && proof === undefined && (this.#isPart || this.#counts.receipts !== size)) throw new Wrong('no proof')
    const grown = proof === undefined && !this.#isTorn ? rootOf(this.#leaves) : undefined
    const read = { note, proof, grown, verdict: await judge(note, this.#policy) }
    if (isLast) this.#last = read
    else {
      this.#checkpoints.push(read)
      if (['unsigned', 'false'].includes(read.verdict)) this.#fail('consistency')
      if (grown !== undefined && !grown.equals(note.tree.root)) this.#fail('consistency')
    }
  }

  close(isWhole: boolean): Opinion {
    const scope = this.#isPart ? 'part' : this.#size === 0 ? 'set' : 'log'
    if (!isWhole) this.#fail('bundle')
    if (this.#counts.receipts === 0) this.#fail('presence')
    const { settled, sealed, isOrphan } = checkSet(this.#good, scope, (check) => this.#fail(check))
    if (isOrphan) this.#doubted.add('lineage')
    if (scope === 'part') for (const check of ['keys', 'continuity', 'pairing', 'spent']) this.#doubted.add(check)
    const isAgreed = this.#compare()
    this.#doubtTerms()
    this.#doubtTree(isAgreed)
    const results = Object.fromEntries(NAMES.map((check) => [check, this.#result(check, isWhole)]))
    const ok = this.#failed.size === 0 && results['signature'] === 'pass'
    return {
      ok,
      complete: ok && settled && sealed && results['completeness'] === 'pass',
      count: this.#counts.receipts,
      results,
    }
  }

  #result(check: string, isWhole: boolean): string {
    if (this.#failed.has(check)) return 'fail'
    return this.#doubted.has(check) || !isWhole ? 'not_established' : 'pass'
  }

  /** Does the log agree with a checkpoint that its reader holds? */
  #compare(): boolean {
    const last = this.#last?.note.tree
    let isAgreed = false
    for (const held of this.#held) {
      const { root, isLost } = this.#rootAt(held, last)
      if (root === undefined && isLost && last !== undefined) this.#fail('consistency')
      else if (root?.equals(held.root) === false) this.#fail('consistency')
      else if (root !== undefined) isAgreed = true
      else if (last !== undefined && held.size > 0) this.#doubted.add('consistency')
    }
    if (last === undefined) return false
    const root = this.#isPart ? this.#implied[0] : this.#isTorn ? undefined : rootOf(this.#leaves)
    if (root?.equals(last.root) === false) this.#fail('inclusion')
    if (['unsigned', 'false'].includes(this.#last?.verdict ?? '')) this.#fail('inclusion')
    for (const { note, proof } of this.#checkpoints) {
      if (proof !== undefined && !isBeginning(note.tree, last, proof)) this.#fail('consistency')
    }
    return isAgreed
  }

  #rootAt(held: Tree, last: Tree | undefined): { readonly root?: Buffer; readonly isLost: boolean } {
    if (held.size === 0) return { isLost: false }
    if (this.#head !== undefined && held.origin !== this.#head.origin) return { isLost: true }
    if (held.size < this.#size) {
      const isGrown = !this.#isPart && this.#leaves.length >= held.size
      if (isGrown) return { root: rootOf(this.#leaves.slice(0, held.size)), isLost: false }
      const proven = this.#checkpoints.find(
        ({ note, proof }) =>
          note.tree.size === held.size &&
          proof !== undefined &&
          last !== undefined &&
          isBeginning(note.tree, last, proof),
      )
      return proven === undefined ? { isLost: false } : { root: proven.note.tree.root, isLost: false }
    }
    if (last === undefined) return { isLost: false }
    return held.size === last.size ? { root: last.root, isLost: false } : { isLost: true }
  }

  #doubtTerms(): void {
    const doubt = (...checks: readonly string[]): void => {
      for (const check of checks) this.#doubted.add(check)
    }
    const decisions = this.#good.map(({ claims }) => claims).filter((claims) => claims.get('kind') === 'decision')
    doubt('definitions', 'policies')
    const used = new Set<string>()
    if (decisions.length === 0) doubt('overrides', 'approvals')
    if (decisions.some((claims) => claims.has('override'))) doubt('overrides')
    for (const claims of decisions) {
      const isApproved = claims.has('approval')
      if (claims.get('basis') === 'approval' && !isApproved) this.#fail('approvals')
      if (isApproved && claims.has('permit') && claims.has('code')) this.#fail('approvals')
      if (isApproved && claims.has('permit')) {
        doubt('approvals')
        const answers = answersOf(claims)
        const people = answers.map((answer) => folded(answer.get('by')))
        const statements = answers.map((answer) => String(answer.get('statement')))
        const principal = claims.get('principal') as Claims
        const isOwn = (answer: Claims) =>
          principal.get('type') === 'user' &&
          answer.has('roles') &&
          folded(answer.get('by')) === folded(principal.get('id'))
        if (new Set(people).size < people.length || answers.some(isOwn)) this.#fail('approvals')
        if (statements.some((one, n) => used.has(one) || statements.indexOf(one) < n)) this.#fail('approvals')
        for (const one of statements) used.add(one)
      }
    }
    if (this.#opened === 0) doubt('openings')
    if (this.#trust.keys.length === 0) doubt('signature', 'openings')
    if (this.#counts.receipts === 0) doubt('envelope')
    if (this.#good.length === 0) doubt('signature', 'completeness', ...OF_RECEIPTS)
  }

  #doubtTree(isAgreed: boolean): void {
    const verdict = this.#last?.verdict
    const isSigned = verdict === 'trusted' || verdict === 'unwitnessed'
    if (!isSigned) for (const check of ['inclusion', 'witnesses']) this.#doubted.add(check)
    if (verdict !== 'trusted' || this.#policy?.asksNobody === true) this.#doubted.add('witnesses')
    const isCompared = isAgreed || (isSigned && this.#checkpoints.length > 0)
    if (!isCompared || this.#last === undefined) this.#doubted.add('consistency')
    const isAnchored = isSigned && !this.#failed.has('inclusion')
    if (this.#retired.size > 0 && !isAnchored) this.#doubted.add('keys')
    const isShown = isAnchored && !this.#doubted.has('witnesses')
    if (this.#isPart || this.#size === 0 || !isShown) this.#doubted.add('completeness')
  }
}

interface Envelope {
  readonly alg: Value
  readonly kid: string
  readonly payload: Buffer
  readonly signature: Buffer
  readonly signed: Buffer
}

function readEnvelope(jws: string, typ: string): Envelope | undefined {
  try {
    const [header = '', payload = '', signature = '', ...more] = jws.split('.')
    if (jws.length > 65_536 || more.length > 0 || payload === '') return undefined
    const head = unbase(header, 'base64url')
    const said = canonicalObject(head)
    const read = { payload: unbase(payload, 'base64url'), signature: unbase(signature, 'base64url') }
    const [alg, kid] = [said.get('alg'), said.get('kid')]
    if (said.size !== 3 || said.get('typ') !== typ || typeof alg !== 'string' || typeof kid !== 'string')
      return undefined
    if (head.length > 256 || read.payload.length > 32_768 || read.signature.length !== 64) return undefined
    return { alg, kid, ...read, signed: Buffer.from(`${header}.${payload}`) }
  } catch {
    return undefined
  }
}

function isOpened(claims: Claims | undefined, what: string, salt: string, opened: string): boolean {
  const kind = claims?.get('kind')
  const digest = (tag: string, ...rest: readonly string[]): string =>
    sha256(`["${tag}",${[JSON.stringify(salt), ...rest].join(',')}]`).toString('base64url')
  if (what === 'result') {
    const result = kind === 'outcome' ? (claims?.get('result') as Claims | undefined) : undefined
    const bytes = Buffer.byteLength(opened)
    return result?.get('bytes') === bytes && result.get('commit') === digest('hp-result/1', JSON.stringify(opened))
  }
  if (kind !== 'decision' || claims?.get('request') !== digest('hp-request/1', opened)) return false
  try {
    const request = strict(opened, 96)
    if (canonical(request) !== opened) return false
    const args = claims.get('args') as Claims | undefined
    if (args === undefined) return true
    const context = request instanceof Map ? request.get('context') : undefined
    const given = context instanceof Map ? context.get('arguments') : undefined
    if (given === undefined) return false
    const tool = claims.get('tool') as Claims
    const names = [tool.get('server'), tool.get('name')].map((name) => JSON.stringify(name))
    const whole = canonical(given)
    return args.get('bytes') === Buffer.byteLength(whole) && args.get('commit') === digest('hp-args/1', ...names, whole)
  } catch {
    return false
  }
}

function only(value: Claims, names: readonly string[]): void {
  if ([...value.keys()].some((name) => !names.includes(name))) throw new Wrong('a stranger')
}

function text(value: Claims, name: string): string {
  const found = value.get(name)
  if (typeof found !== 'string') throw new Wrong(`no ${name}`)
  return found
}

function size(value: Claims, name: string): number {
  const found = value.get(name)
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0) throw new Wrong(`no ${name}`)
  return found
}

function payloadOf(jws: string): Buffer {
  try {
    return Buffer.from(unbase(jws.split('.')[1] ?? '', 'base64url'))
  } catch {
    return Buffer.alloc(0)
  }
}

/** Case, Unicode form and the space around it make no other person. */
function folded(id: unknown): string {
  return String(id).normalize('NFKC').toUpperCase().toLowerCase().trim()
}

function answersOf(claims: Claims | undefined): readonly Claims[] {
  const approval = claims?.get('approval')
  const answers = approval instanceof Map ? approval.get('answers') : undefined
  return Array.isArray(answers) ? (answers as readonly Claims[]) : []
}
