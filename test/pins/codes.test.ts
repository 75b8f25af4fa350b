import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { REFUSAL_CODES } from '../../src/refusal/codes.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const page = readFileSync(path.join(root, 'docs', 'codes.md'), 'utf8')

/** The string literals of an exported union type, as they stand in the source. */
function unionOf(file: string, name: string): string[] {
  const { program } = parseSync(file, readFileSync(path.join(root, file), 'utf8'))
  for (const statement of program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration?.type !== 'TSTypeAliasDeclaration')
      continue
    const { id, typeAnnotation } = statement.declaration
    if (id.name !== name || typeAnnotation.type !== 'TSUnionType') continue
    return typeAnnotation.types.flatMap((type) =>
      type.type === 'TSLiteralType' && type.literal.type === 'Literal' ? [String(type.literal.value)] : [],
    )
  }
  throw new Error(`${file} exports no union ${name}`)
}

/** The codes of the warnings that a room gives: where it calls `warn`, and where it makes the event itself. */
function warningsGiven(): string[] {
  const texts = ['src', 'adapters'].flatMap((room) =>
    readdirSync(path.join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(path.join(root, room, file), 'utf8')),
  )
  const given = texts.flatMap((text) => [
    ...text.matchAll(/(?:gate|Gate)\.warn\(\s*'([a-z_-]+)'|event: 'programmer-warned',\s*code: '([a-z_-]+)'/g),
    ...text.matchAll(/warnOnce\(\s*[^,()]+,\s*[^,()]+,\s*'([a-z_-]+)'()/g),
    ...text.matchAll(/#warn\(\s*'([a-z_-]+)'()/g),
  ])
  return [...new Set(given.map(([, called, made]) => called ?? made ?? ''))]
}

/** Everything but the two places that list all codes. */
function sourcesThatGiveCodes(): string {
  const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const lists = new Set([path.join('types', 'refusal.ts'), path.join('refusal', 'codes.ts')])
  return files
    .filter((file) => file.endsWith('.ts') && !lists.has(file))
    .map((file) => readFileSync(path.join(root, 'src', file), 'utf8'))
    .join('\n')
}

/** The first cells of the tables below a heading, with the rows they stand in. */
function rowsOf(heading: string): ReadonlyMap<string, string> {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? ''
  const rows = [...section.matchAll(/^\| `([A-Za-z_-]+)` \|(.*)$/gm)].map(
    ([, code = '', rest = '']) => [code, rest] as const,
  )
  expect(new Set(rows.map(([code]) => code)).size).toBe(rows.length)
  return new Map(rows)
}

describe('the codes', () => {
  // Literals on purpose: a code is a promise to everybody who matches on it. Adding one is a minor release,
  // renaming or removing one is a major release.
  const refusals = [
    'already_executed approval_declined approval_expired approval_mismatch approval_pending approval_required',
    'approver_not_separate arguments_rejected budget_exceeded cancelled circuit_open denied_by_policy in_progress',
    'isolated key_reuse no_permit obligation_unmet outcome_unknown overloaded permit_expired permit_revoked',
    'policy_error policy_stale policy_timeout policy_unavailable policy_wrong_answer receipt_unavailable',
    'tool_changed tool_unknown ungated_tool',
  ]
    .join(' ')
    .split(' ')
  const errors =
    'ERR_ARGUMENTS ERR_CLOSED ERR_CONFIG ERR_FORMAT ERR_HOST ERR_KEY ERR_LOG ERR_PINS ERR_POLICY ERR_SIGNER ERR_STORE ERR_TOOL ERR_UNGATED'.split(
      ' ',
    )

  it('of refusals are exactly these, in types, in the table and on the page', () => {
    expect(unionOf('src/types/refusal.ts', 'RefusalCode').sort()).toEqual(refusals)
    expect(Object.keys(REFUSAL_CODES).sort()).toEqual(refusals)
    expect([...rowsOf('Refusals').keys()].sort()).toEqual(refusals)
  })

  it('of errors are exactly these, in the type and on the page', () => {
    expect(unionOf('src/errors.ts', 'HoldpointErrorCode').sort()).toEqual(errors)
    expect([...rowsOf('Errors').keys()].sort()).toEqual(errors)
  })

  it('of warnings are exactly those on the page that somebody gives', () => {
    expect([...rowsOf('Warnings').keys()].sort()).toEqual(warningsGiven().sort())
  })

  it('are reserved on the page exactly when nothing gives them, so that nobody waits for one that never comes', () => {
    const sources = sourcesThatGiveCodes()
    const reserved = [...rowsOf('Refusals')].filter(([, row]) => row.includes('Reserved')).map(([code]) => code)
    expect(refusals.filter((code) => !sources.includes(`'${code}'`))).toEqual(reserved)
  })

  it('say the same on the page about trying again as the refusal does', () => {
    const rows = rowsOf('Refusals')
    for (const [code, facts] of Object.entries(REFUSAL_CODES)) {
      const again = rows.get(code)?.split('|').at(-3)?.trim()
      expect({ code, again }).toEqual({ code, again: facts.retryable ? 'yes' : 'no' })
    }
  })
})
