/** Tables of calls and what the policies must say to them: `policies/*.test.yaml`. The one reader of that format. */

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import { readDecimal } from '../../bytes/decimal.ts'
import { isWrittenTool } from '../../bytes/names.ts'
import { problemOf } from '../../config/problem.ts'
import { parseYaml } from '../../config/yaml.ts'
import { MATERIALITIES, READ_LABELS, SURFACES } from '../../types.ts'
import { reasonOf, UnusableInput } from '../exit.ts'

const json = z.record(z.string(), z.json(), { error: 'must be a mapping' })
const text = z.string({ error: 'must be a text' }).min(1, 'must be a text that is not empty')
const texts = z.array(text, { error: 'must be a list of texts' }).readonly()
const toolName = z.string({ error: 'must be the name of a tool' }).refine(isWrittenTool, 'must be the name of a tool')

const tool = z
  .strictObject(
    {
      /** What the operator would say; without it the tool is classified as the gate does. */
      materiality: z.enum(MATERIALITIES, { error: 'must be low, medium or high' }).optional(),
      surface: z.enum(SURFACES, { error: 'must be a surface such as read or financial' }).optional(),
      description: text.optional(),
      /** The tool's input schema. */
      schema: z.union([json, z.boolean()], { error: 'must be a JSON Schema' }).optional(),
    },
    { error: 'must be a mapping such as {materiality: high}' },
  )
  .nullable()

const constraint = z.strictObject(
  { path: z.string({ error: 'must be a JSON Pointer such as /amount' }), requires: text },
  { error: 'must be a mapping such as {path: /amount, requires: at most 500}' },
)

const count = z.int({ error: 'must be a whole number from 0' }).min(0, 'must be a whole number from 0')

const money = z
  .string({ error: 'must be a decimal in quotes, such as "12.50"' })
  .refine((text) => (readDecimal(text) ?? -1n) >= 0n, 'must be a decimal in quotes, such as "12.50"')

const sums = z.strictObject(
  { calls: count.optional(), spent: money.optional() },
  { error: 'must be a mapping such as {spent: "12.50"}' },
)

const row = z.strictObject(
  {
    it: text,
    call: toolName,
    arguments: json.optional(),
    // Facts of the call; what is left out is what a plain call has.
    user: text.optional(),
    agent: text.optional(),
    roles: texts.optional(),
    tenant: text.optional(),
    environment: json.optional(),
    /** How often this tool ran in the conversation so far. */
    calls: count.optional(),
    /** What this tool spent in the conversation so far, as decimal text. */
    spent: money.optional(),
    /** The same in the last hour and day, in every conversation; left out: nothing. */
    hour: sums.optional(),
    day: sums.optional(),
    /** What the conversation has read. */
    reads: z
      .array(z.enum(READ_LABELS, { error: 'must be private or untrusted' }))
      .readonly()
      .optional(),
    /** The principal said yes. */
    confirmed: z.boolean({ error: 'must be true or false' }).optional(),
    /** Roles in which somebody said yes. */
    approved: texts.optional(),
    /** Other policies than the table's. */
    policies: z.union([text, texts]).optional(),
    // What is expected.
    decision: z.enum(['permit', 'deny', 'silence'], { error: 'must be permit, deny or silence' }),
    code: text.optional(),
    sentence: text.optional(),
    constraint: constraint.optional(),
    /** The policies that decide, all of them. */
    by: texts.optional(),
  },
  { error: 'must be a mapping with it, call and decision' },
)

const table = z.strictObject(
  {
    /** As in `holdpoint.yaml`, relative to the table; without it, what is in force. */
    policies: z.union([text, texts]).optional(),
    tools: z.record(toolName, tool, { error: 'must be a mapping from tools to what is known of them' }).optional(),
    environment: json.optional(),
    cases: z
      .array(row, { error: 'must be a list of cases' })
      .min(1, 'must be a list with at least one case')
      .readonly(),
  },
  { error: 'must be a mapping with cases' },
)

/** A table as it is written. */
export type Table = Readonly<z.infer<typeof table>>
/** One call, and what is expected of the policies. */
export type Row = Readonly<z.infer<typeof row>>

/** A table that was read, and where its parts stand. */
export interface ReadTable {
  readonly file: string
  readonly table: Table
  /** `file:line:column` of a case. */
  at(index: number): string
}

/**
 * Reads one table.
 *
 * @throws UnusableInput with file, line, column and what was expected
 * @throws HoldpointError ERR_CONFIG for text that is not YAML
 */
export function readTable(file: string): ReadTable {
  const source = parseYaml(basename(file), readText(file))
  const result = table.safeParse(source.value)
  if (!result.success) {
    const { path, aboutKey, sentence } = problemOf(result.error.issues, table)
    throw new UnusableInput(`${source.at(path, aboutKey)}: ${sentence}`)
  }
  return { file, table: result.data, at: (index) => source.at(['cases', String(index)]) }
}

function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    throw new UnusableInput(error instanceof TypeError ? `${file} is not UTF-8 text` : `${file}: ${reasonOf(error)}`)
  }
}
