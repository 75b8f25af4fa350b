/** JSON as people keep it, with comments and trailing commas: every value with its place in the text. */
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { UnusableInput } from '../exit.ts'

/**
 * The tree of a text. UNTRUSTED in its names: they are looked up by `memberOf` alone.
 *
 * @param file its name, for the message
 * @throws UnusableInput naming file, line and column
 */
export function treeOf(text: string, file: string): Node {
  const errors: ParseError[] = []
  const root = text.trim() === '' ? undefined : parseTree(text, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error !== undefined) {
    const before = text.slice(0, error.offset).split('\n')
    const place = `${file}:${before.length}:${(before.at(-1) ?? '').length + 1}`
    throw new UnusableInput(`${place}: not JSON (${printParseErrorCode(error.error)})`)
  }
  if (root?.type !== 'object') throw new UnusableInput(`${file}: holds no JSON object`)
  return root
}

/** One member of an object: its name, where the name stands, and its value. */
export interface Member {
  readonly name: string
  readonly property: Node
  readonly value: Node
}

/** The members of an object, in order; of anything else, none. */
export function membersOf(node: Node | undefined): readonly Member[] {
  if (node?.type !== 'object') return []
  return (node.children ?? []).flatMap((property) => {
    const [key, value] = property.children ?? []
    return key === undefined || value === undefined ? [] : [{ name: String(key.value), property, value }]
  })
}

/**
 * The member of that name.
 *
 * @throws UnusableInput where there are two: hosts differ in which of them counts
 */
export function memberOf(node: Node | undefined, name: string): Member | undefined {
  const [member, another] = membersOf(node).filter((one) => one.name === name)
  if (another !== undefined) throw new UnusableInput(`the name "${name}" stands twice in one object`)
  return member
}

/** The text of a string node, or `undefined` for anything else. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.type === 'string' ? String(node.value) : undefined
}

/** Where a node ends. */
export function endOf({ offset, length }: Node): number {
  return offset + length
}

/** A node as it stands in the text, escapes and all. */
export function rawOf(text: string, node: Node): string {
  return text.slice(node.offset, endOf(node))
}
