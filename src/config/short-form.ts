/**
 * The short form of policies in `holdpoint.yaml`: what may be written, and the rules that it makes.
 *
 * ```yaml
 * tools:
 *   refund:
 *     permit: { amount: { max: 500 }, currency: { oneOf: [EUR, USD] } }
 *     otherwise: { ask: finance, say: Refunds above 500 EUR need approval from finance. }
 *   wipe: deny
 * ```
 */

import { z } from 'zod'
import { decimalText } from '../bytes/decimal.ts'
import { pathOf } from '../bytes/pointer.ts'
import { isQuorum, isRole, MOST_PERSONS, requirementOf } from '../bytes/requirement.ts'
import type { ShortCondition, ShortOtherwise, ShortRule } from '../types.ts'

const MOST_ARGUMENTS = 32
const MOST_VALUES = 100
const LONGEST_TEXT = 256
const LONGEST_SENTENCE = 512

/** An absolute path in its shortest form: no trailing slash, no `.` or `..`, nothing doubled. */
const FOLDER = /^\/(?:(?!\.{1,2}(?:\/|$))[^/\p{Cc}\\~]+(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}\\~]+)*)?$/u
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\])$/

const NUMBER_RULE = 'must be a number with at most 4 decimal places, such as 500'
const number = z.number({ error: NUMBER_RULE }).refine((value) => decimalText(value) !== undefined, NUMBER_RULE)

const ONE_OF_RULE = `must be a list of 1 to ${MOST_VALUES} texts, numbers or booleans, all of one kind, such as [EUR, USD]`
const oneOf = z
  .array(z.union([z.string().max(LONGEST_TEXT), number, z.boolean()], { error: ONE_OF_RULE }), { error: ONE_OF_RULE })
  .min(1, ONE_OF_RULE)
  .max(MOST_VALUES, ONE_OF_RULE)
  .refine((values) => new Set(values.map((value) => typeof value)).size <= 1, ONE_OF_RULE)
  .refine((values) => values.every((value) => typeof value !== 'string' || value.isWellFormed()), ONE_OF_RULE)

const FOLDER_RULE =
  'must be an absolute folder in its shortest form, such as /srv/reports (no "..", no slash at the end), or a list of them'
const HOST_RULE =
  'must be a host in lower case, such as example.com (which covers what is below it; no scheme, port or "*"), or a list of them'

/** One text of that form, or a list of them. */
function texts(form: RegExp, rule: string) {
  const one = z
    .string({ error: rule })
    .max(LONGEST_TEXT, rule)
    .refine((text) => form.test(text) && text.isWellFormed(), rule)
  return z.union([one, z.array(one).min(1, rule).max(MOST_VALUES, rule)], { error: rule })
}

const WORDS_RULE = 'must be a mapping with one or more of max, min, oneOf, under and host, such as {max: 500}'
const words = z
  .strictObject(
    {
      max: number.optional(),
      min: number.optional(),
      oneOf: oneOf.optional(),
      under: texts(FOLDER, FOLDER_RULE).optional(),
      host: texts(HOST, HOST_RULE).optional(),
    },
    { error: WORDS_RULE },
  )
  .refine((said) => Object.values(said).some((value) => value !== undefined), WORDS_RULE)
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, 'has a "min" above its "max"')

const ARGUMENT_RULE =
  'is not the name of an argument: write its name, or a JSON Pointer such as /payee/iban; elements of lists cannot be named'
const argument = z
  .string()
  .min(1, ARGUMENT_RULE)
  .max(LONGEST_TEXT, ARGUMENT_RULE)
  .refine(
    (name) => name.isWellFormed() && stepsOf(name).every((step) => step !== '' && !/^\d+$/.test(step)),
    ARGUMENT_RULE,
  )

const PERMIT_RULE = 'must be "always", or a mapping from arguments to what they must be, such as {amount: {max: 500}}'
const permit = z.union(
  [
    z.literal('always'),
    z
      .record(argument, words, { error: PERMIT_RULE })
      .refine((said) => Object.keys(said).length > 0, `${PERMIT_RULE}; to let every call run, write "always"`)
      .refine((said) => Object.keys(said).length <= MOST_ARGUMENTS, `names more than ${MOST_ARGUMENTS} arguments`),
  ],
  { error: PERMIT_RULE },
)

const SAY_RULE = `must be a sentence of at most ${LONGEST_SENTENCE} characters`
const QUORUM_RULE = `must be how many persons of a role to ask, from 1 to ${MOST_PERSONS}; a confirmation is one person’s`
const OTHERWISE_RULE = 'must be a mapping with ask, say or both, such as {ask: confirmation}'
const otherwise = z
  .strictObject(
    {
      ask: z
        .string({ error: 'must be confirmation or a role such as finance' })
        .refine(isRole, 'must be confirmation or a role such as finance')
        .optional(),
      quorum: z.int({ error: QUORUM_RULE }).min(1, QUORUM_RULE).max(MOST_PERSONS, QUORUM_RULE).optional(),
      say: z
        .string({ error: SAY_RULE })
        .min(1, SAY_RULE)
        .max(LONGEST_SENTENCE, SAY_RULE)
        .refine((text) => text.isWellFormed(), SAY_RULE)
        .optional(),
    },
    { error: OTHERWISE_RULE },
  )
  .refine((said) => said.ask !== undefined || said.say !== undefined, OTHERWISE_RULE)
  .refine((said) => said.quorum === undefined || isQuorum(said.quorum, requirementOf(said.ask ?? 'confirmation')), {
    path: ['quorum'],
    error: QUORUM_RULE,
  })

/** The keys of the short form, beside `materiality` and `surface`. */
export const shortForm = { permit: permit.optional(), otherwise: otherwise.optional() }

type Word =
  | 'deny'
  | {
      readonly permit?: z.infer<typeof permit> | undefined
      readonly otherwise?: z.infer<typeof otherwise> | undefined
    }

/** Says what is wrong with the keys of one tool together; `undefined` when nothing is. */
export function contradictionOf(word: Exclude<Word, 'deny'>): string | undefined {
  if (word.otherwise === undefined) return undefined
  if (word.permit === 'always') return 'comes after "permit: always", which leaves nothing over'
  if (word.permit === undefined && word.otherwise.ask === undefined)
    return 'without "permit" must say whom to "ask"; to refuse every call, write "deny" in place of the mapping'
  return undefined
}

/**
 * The rules that the words on tools make.
 *
 * @param server our own name of the server that tools without a server in front belong to
 * @param at where the value at a path below `tools` stands, or its key
 */
export function shortRules(
  tools: { readonly [name: string]: Word },
  server: string,
  at: (path: readonly string[], aboutKey: boolean) => string,
): readonly ShortRule[] {
  return Object.entries(tools).flatMap(([name, word]): readonly ShortRule[] => {
    const rule = { name, tool: name.includes('/') ? name : `${server}/${name}`, at: at([name], true) }
    if (word === 'deny') return [{ ...rule, says: { kind: 'deny' } }]
    if (word.permit === 'always') return [{ ...rule, says: { kind: 'permit' } }]
    if (word.permit === undefined && word.otherwise === undefined) return []
    const conditions = Object.entries(word.permit ?? {}).map(([argument, said]): ShortCondition => {
      const { under, host, ...numbers } = said
      return {
        path: stepsOf(argument),
        at: at([name, 'permit', argument], true),
        ...numbers,
        ...(under === undefined ? {} : { under: [under].flat() }),
        ...(host === undefined ? {} : { host: [host].flat() }),
      } as ShortCondition
    })
    const left: ShortOtherwise = { at: at([name, 'otherwise'], true), ...word.otherwise } as ShortOtherwise
    return [{ ...rule, says: { kind: 'permit-when', conditions, otherwise: left } }]
  })
}

/** An argument as it is written: its name, or a JSON Pointer (RFC 6901). */
function stepsOf(argument: string): readonly string[] {
  return argument.startsWith('/') ? pathOf(argument) : [argument]
}
