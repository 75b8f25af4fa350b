import { type Value, Wrong } from './bytes.ts'

/** The tables of docs/receipts.md. */
type Shape = (value: Value) => boolean
type Members = { readonly [name: string]: Shape }

const text =
  (most: number): Shape =>
  (value) =>
    typeof value === 'string' && value.length <= most
const match =
  (pattern: RegExp): Shape =>
  (value) =>
    typeof value === 'string' && pattern.test(value)
const one =
  (...words: readonly string[]): Shape =>
  (value) =>
    typeof value === 'string' && words.includes(value)
const list =
  (shape: Shape, most: number, least = 0): Shape =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.length <= most && value.every(shape)
const within =
  (least: number, most: number): Shape =>
  (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
const either =
  (...shapes: readonly Shape[]): Shape =>
  (value) =>
    shapes.some((shape) => shape(value))
const object =
  (members: Members): Shape =>
  (value) =>
    value instanceof Map && holds(value, members)

const count = within(0, Number.MAX_SAFE_INTEGER)
const digest = match(/^[A-Za-z0-9_-]{43}$/)
const stream = match(/^[A-Za-z0-9_-]{22}$/)
const word = match(/^[a-z][a-z0-9_]{0,63}$/)
const boolean: Shape = (value) => typeof value === 'boolean'
const tier = one('low', 'medium', 'high')
const surface = one(
  ...'read internal-write communication financial infrastructure code-execution data-egress'.split(' '),
  ...'credentials identity actuation unknown'.split(' '),
)
const commitment = object({ commit: digest, bytes: count })

const common: Members = {
  v: (value) => value === 1,
  kind: one('open', 'decision', 'outcome', 'seal', 'key'),
  iss: text(256),
  stream,
  seq: count,
  'prev?': digest,
  ts: count,
  mono: count,
  'trace?': match(/^[0-9a-f]{32}$/),
}

const kinds: ReadonlyMap<string, Members> = new Map<string, Members>([
  [
    'open',
    {
      build: text(64),
      config: digest,
      policy: digest,
      trust: digest,
      mode: one('enforce', 'observe'),
      'until?': count,
      kid: digest,
      'last?': object({ stream, seq: count, hash: digest }),
    },
  ],
  [
    'decision',
    {
      'call?': digest,
      principal: object({
        type: one('user', 'agent'),
        id: text(512),
        'roles?': list(text(256), 64),
        'tenant?': text(256),
        basis: one('stated', 'os-user', 'default'),
      }),
      'agent?': text(512),
      'conversation?': digest,
      tool: object({ server: text(64), name: text(256), 'definition?': digest }),
      'args?': commitment,
      'request?': digest,
      materiality: tier,
      surface,
      evidence: list(
        object({
          source: one('operator', 'definition', 'arguments', 'schema', 'name', 'description', 'annotations', 'default'),
          argues: tier,
          'surface?': surface,
          at: text(256),
          because: text(512),
        }),
        8,
      ),
      decision: one('permit', 'deny', 'silence'),
      basis: one('pdp', 'approval', 'fail_open', 'override', 'ungated', 'input', 'replay', 'gate'),
      enforced: boolean,
      'code?': word,
      'fault?': word,
      policy: object({ digest, determining: list(text(128), 64), errors: list(text(128), 64) }),
      'pdp?': object({ id: text(128), us: count }),
      rederivable: boolean,
      'obligations?': list(object({ id: text(128), type: text(128) }), 32),
      'approval?': either(
        object({ ref: text(64), by: text(512), channel: text(32) }),
        object({
          ref: text(64),
          shown: digest,
          answers: list(
            object({ by: text(512), channel: text(32), 'roles?': list(text(256), 64), statement: digest }),
            16,
            1,
          ),
        }),
      ),
      'override?': object({
        id: match(/^ov_[0-9a-z]{26}$/),
        digest,
        by: list(digest, 8, 1),
        reason: text(256),
        ticket: text(64),
        most: within(1, 1_000),
      }),
      'permit?': object({ ttlMs: count }),
      'parents?': list(digest, 64),
      'note?': text(512),
    },
  ],
  [
    'outcome',
    {
      decision: digest,
      status: one('ok', 'tool_error', 'timeout', 'cancelled', 'not_executed', 'unknown'),
      'result?': commitment,
      'us?': count,
      'recovered?': boolean,
    },
  ],
  ['seal', { count, open_calls: count, status: one('complete', 'interrupted') }],
  ['key add', { act: one('add'), key: isKey, kid: digest, proof: text(2_048) }],
  ['key retire', { act: one('retire'), kid: digest }],
])

function isKey(value: Value): boolean {
  const okp: Members = { kty: one('OKP'), crv: one('Ed25519'), x: digest }
  const ec: Members = { kty: one('EC'), crv: one('P-256'), x: digest, y: digest }
  return value instanceof Map && (holds(value, okp) || holds(value, ec))
}

function holds(value: ReadonlyMap<string, Value>, members: Members): boolean {
  const known = new Map(Object.entries(members).map(([name, shape]) => [name.replace('?', ''), shape]))
  return (
    [...value.keys()].every((name) => known.has(name)) &&
    Object.keys(members).every((name) => {
      const found = value.get(name.replace('?', ''))
      return found === undefined ? name.endsWith('?') : known.get(name.replace('?', ''))?.(found) === true
    })
  )
}

/** A payload that is as its kind has it. */
export function checkShape(claims: ReadonlyMap<string, Value>): void {
  const kind = claims.get('kind')
  const members = kinds.get(kind === 'key' ? `key ${String(claims.get('act'))}` : String(kind))
  if (members === undefined || !holds(claims, { ...common, ...members })) throw new Wrong('not as its kind has it')
}
