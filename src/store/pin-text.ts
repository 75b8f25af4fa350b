/** Pins as text: read as strictly as anything that decides what may run. */
import { z } from 'zod'
import { definitionDigest } from '../bytes/definition-digest.ts'
import { isObject } from '../bytes/json.ts'
import { isServerName, isToolName } from '../bytes/names.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import type { Json, JsonObject, PinRecord, ToolAnnotations, ToolDefinition } from '../types.ts'

/** Bytes of a file of pins: whole definitions of up to a thousand tools. */
export const MOST_PIN_BYTES = 16 * 1_048_576
/** A definition has at most 10,000 values in 64 levels; a file has some thousand of them. */
const LIMITS = { maxDepth: 72, maxNodes: 2_000_000, maxBytes: MOST_PIN_BYTES }

const mapping = z.custom<JsonObject>((value) => isObject(value as Json), 'must be an object')
const schema = z.union([z.boolean(), mapping], 'must be a JSON Schema')

const definition = z.strictObject({
  name: z.string().refine(isToolName, 'must be the name of a tool'),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: schema.optional(),
  outputSchema: schema.optional(),
  annotations: mapping.optional(),
})

const pinFile = z.strictObject({
  v: z.literal(1, 'must be 1: another version of holdpoint wrote this file'),
  server: z.string().refine(isServerName, 'must be the name of a server'),
  /** Wall clock, ms since the Unix epoch. */
  recordedAt: z.int().nonnegative(),
  // A list, because a tool may be named like a member that reaches prototypes.
  tools: z.array(z.strictObject({ digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a digest'), definition })),
})

/** @throws HoldpointError ERR_FORMAT, in words that continue "the file …" */
export function readPins(text: Uint8Array, server: string): PinRecord {
  const parsed = pinFile.safeParse(parseStrict(text, LIMITS))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformed(`/${(issue?.path ?? []).map(String).join('/')} ${issue?.message ?? 'has an unknown shape'}`)
  }
  const { recordedAt, tools } = parsed.data
  if (parsed.data.server !== server) throw malformed(`/server is "${parsed.data.server}", and not "${server}"`)
  const byName = new Map(
    tools.map(({ digest, definition }) => [definition.name, { digest, definition: asThirdParty(definition) }]),
  )
  if (byName.size !== tools.length) throw malformed('/tools has two of one name')
  for (const [name, pin] of byName) {
    // Else another tool would pass for the one that a person looks at.
    if (definitionDigest(pin.definition) !== pin.digest)
      throw malformed(`${name} has a digest that is not its definition's: somebody has changed it`)
  }
  return { server, recordedAt, tools: byName }
}

/** The text of a record: the same for the same record. */
export function pinText({ server, recordedAt, tools }: PinRecord): string {
  const listed = [...tools.values()].map(({ digest, definition }) => {
    const { origin: _origin, ...said } = definition
    return { digest, definition: said }
  })
  return `${JSON.stringify({ v: 1, server, recordedAt, tools: listed }, null, 1)}\n`
}

/** Absent members stay absent: the digest is taken of what is there. */
function asThirdParty(said: z.infer<typeof definition>): ToolDefinition {
  const { name, title, description, inputSchema, outputSchema, annotations } = said
  return {
    name,
    origin: 'third-party',
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    // UNTRUSTED: hints of a stranger, as the gate takes them from a listing.
    ...(annotations === undefined ? {} : { annotations: annotations as ToolAnnotations }),
  }
}

function malformed(because: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', because, { because })
}
