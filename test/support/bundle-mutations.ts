import { encodeBase64url } from '../../src/bytes/base64url.ts'
import type { Signer } from '../../src/types.ts'

/** Deterministic chance: mulberry32. */
export function chance(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * most)
  }
}

type Pick = (most: number) => number

/** One change to a bundle: a line, a character, a value, or what a receipt says, signed again by its own key. */
export function mutated(
  lines: readonly string[],
  strangers: readonly string[],
  signer: Signer,
  pick: Pick,
): readonly string[] {
  const at = pick(lines.length)
  const line = lines[at] ?? ''
  switch (pick(9)) {
    case 0:
      return lines.toSpliced(at, 1)
    case 1:
      return lines.toSpliced(at, 0, lines[pick(lines.length)] ?? '')
    case 2: {
      const other = pick(lines.length)
      return lines.with(at, lines[other] ?? '').with(other, line)
    }
    case 3:
      return lines.with(at, strangers[pick(strangers.length)] ?? '')
    case 4:
      return lines.slice(0, at)
    case 5: {
      const place = pick(line.length)
      return lines.with(at, line.slice(0, place) + ODD[pick(ODD.length)] + line.slice(place + pick(2)))
    }
    case 6:
      return lines.with(at, JSON.stringify(changedValue(JSON.parse(line), pick)))
    default:
      return lines.with(at, resigned(line, signer, pick))
  }
}

const ODD = [
  '',
  'A',
  '-',
  '_',
  '+',
  '/',
  '=',
  '0',
  '9',
  '"',
  '\\',
  ' ',
  '{',
  '}',
  ',',
  '\u0000',
  'é',
  '\ud800',
  '\u2028',
  '.',
  '\t',
]
const VALUES: readonly unknown[] = [
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  2 ** 53 - 1,
  7,
  '',
  'A',
  null,
  true,
  false,
  [],
  {},
  'permit',
  'log',
  'part',
  'x'.repeat(43),
  'A'.repeat(43),
  'q'.repeat(600),
]

/** The same JSON with one value changed, taken out, or put in. */
function changedValue(value: unknown, pick: Pick): unknown {
  if (typeof value !== 'object' || value === null || pick(4) === 0) return VALUES[pick(VALUES.length)]
  if (Array.isArray(value)) {
    if (value.length === 0 || pick(4) === 0) return [...value, VALUES[pick(VALUES.length)]]
    const at = pick(value.length)
    return pick(3) === 0 ? value.toSpliced(at, 1) : value.with(at, changedValue(value[at], pick))
  }
  const members = Object.entries(value)
  if (members.length === 0 || pick(6) === 0) return { ...value, extra: VALUES[pick(VALUES.length)] }
  const [name = '', inner] = members[pick(members.length)] ?? []
  const rest = Object.fromEntries(members.filter(([other]) => other !== name))
  return pick(4) === 0 ? rest : { ...Object.fromEntries(members), [name]: changedValue(inner, pick) }
}

/** A receipt that says something else, under a good signature: only what it says can be wrong with it. */
function resigned(line: string, signer: Signer, pick: Pick): string {
  const parsed = JSON.parse(line) as { receipt?: string }
  if (parsed.receipt === undefined) return line
  const [header = '', payload = ''] = parsed.receipt.split('.')
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  const changed = changedValue(claims, pick)
  const text = pick(8) === 0 ? JSON.stringify(changed) : sorted(changed)
  const signed = `${header}.${Buffer.from(text).toString('base64url')}`
  const receipt = `${signed}.${encodeBase64url(signer.sign(Buffer.from(signed)))}`
  return JSON.stringify({ ...parsed, receipt })
}

/** JSON with its members in order: canonical, where the values are. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${sorted(inner)}`).join(',')}}`
}
