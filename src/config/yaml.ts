/** Reads YAML strictly, remembering where every key stands. */
import { isAlias, isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml'
import { configError } from './config-error.ts'

const MAX_BYTES = 1024 * 1024
const MAX_ALIASES = 100
const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype']

/** A parsed file: the plain value, and where each part of it stands. */
export interface YamlSource {
  readonly value: unknown
  /** `file:line:column` of the value, or of its key, at a path; of the nearest ancestor when the path has no node. */
  at(path: readonly string[], aboutKey?: boolean): string
}

/**
 * Parses YAML 1.2 (core schema) text. Duplicate keys, several documents, unknown tags, alias bombs and keys that reach
 * for the prototype are errors, like anything that the parser only warns about.
 *
 * @throws HoldpointError ERR_CONFIG with file, line and column
 */
export function parseYaml(file: string, text: string): YamlSource {
  const fail = (message: string, offset: number): never => {
    throw configError(place(offset), message)
  }
  const lines = new LineCounter()
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`
  }
  if (text.length > MAX_BYTES) fail('the file is larger than 1 MiB', 0)
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', stringKeys: true })
  const [trouble] = [...document.errors, ...document.warnings]
  if (trouble !== undefined) fail(sentenceOf(trouble.code, trouble.message), trouble.pos[0])

  let firstAlias = 0
  visit(document, {
    Alias: (_key, node) => {
      if (firstAlias === 0) firstAlias = node.range?.[0] ?? 0
    },
    Pair: (_key, pair) => {
      const key = keyOf(pair)
      if (FORBIDDEN_KEYS.includes(key)) fail(`"${key}" cannot be used as a key`, startOf(pair.key as Node))
    },
  })
  const root = document.contents
  if (root !== null && !isMap(root)) fail('the file must be a mapping of keys to values', startOf(root as Node))
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch {
    fail('aliases (*name) expand to too much; write the values out', firstAlias)
  }
  return {
    value: value ?? {},
    at: (path, aboutKey = false) => place(locate(root as Node | null, path, aboutKey)),
  }
}

/** Offset of the deepest node on the path. */
function locate(root: Node | null, path: readonly string[], aboutKey: boolean): number {
  let node: unknown = root
  let offset = startOf(root)
  for (const [index, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item) === step)
      if (pair === undefined) return offset
      const last = index === path.length - 1
      offset = startOf(pair.key as Node)
      if (!last || !aboutKey) offset = isMap(pair.value) ? offset : startOf(pair.value as Node | null, offset)
      node = pair.value
    } else {
      const items = (node as { readonly items?: readonly unknown[] } | null)?.items
      node = items?.[Number(step)]
      if (node === undefined) return offset
      offset = startOf(node as Node, offset)
    }
  }
  return offset
}

function startOf(node: Node | null | undefined, otherwise = 0): number {
  return node?.range?.[0] ?? otherwise
}

function keyOf(pair: Pair): string {
  if (isScalar(pair.key)) return String(pair.key.value)
  return isAlias(pair.key) ? `*${pair.key.source}` : String(pair.key)
}

function sentenceOf(code: string, message: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key stands here twice; keep one of them'
    case 'MULTIPLE_DOCS':
      return 'the file must hold one document; remove the "---" in the middle'
    case 'NON_STRING_KEY':
      return 'keys must be plain names; put quotes around this one'
    case 'TAG_RESOLVE_FAILED':
      return 'tags such as "!name" have no meaning here; write a plain value'
    default:
      return `not valid YAML: ${message.replace(/\s+/g, ' ').trim()}`
  }
}
