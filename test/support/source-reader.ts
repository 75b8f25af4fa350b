import { parseSync, Visitor } from 'oxc-parser'

/** One import of a source file, as the parser sees it. */
export interface Import {
  readonly specifier: string
  /**
   * `type` leaves no trace in the emitted JavaScript (`import { type X }` does, so it is `static`);
   * `lazy` is an `import()`, which runs when it is reached.
   */
  readonly kind: 'type' | 'static' | 'lazy'
  readonly line: number
}

/** Something that the house does without, or that a pure room does without. */
export interface Finding {
  readonly what: string
  readonly line: number
}

export interface SourceFacts {
  readonly imports: readonly Import[]
  /** Language features that no file uses. */
  readonly forbidden: readonly Finding[]
  /** Time, chance, network and process: effects that enter a pure room as arguments. */
  readonly effects: readonly Finding[]
  /** Texts and members' names that the code at run time has: what it may compare, look up or read. No type is among them. */
  readonly words: readonly Finding[]
}

const effectMembers: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['Date', new Set(['now'])],
  ['Math', new Set(['random'])],
  ['performance', new Set(['now', 'timeOrigin'])],
  ['crypto', new Set(['getRandomValues', 'randomUUID'])],
  ['process', new Set(['env', 'cwd', 'hrtime', 'nextTick', 'stdout', 'stderr', 'platform', 'pid', 'on', 'once'])],
])
const effectCalls: ReadonlySet<string> = new Set(['Date', 'fetch', 'setTimeout', 'setInterval', 'setImmediate'])

/** Parses one TypeScript source and collects what the architecture test asks about. */
export function readSource(file: string, text: string): SourceFacts {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors.map((error) => error.message).join('; ')}`)
  const imports: Import[] = []
  const forbidden: Finding[] = []
  const effects: Finding[] = []
  const words: Finding[] = []
  const inTypes = new Set<number>()
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length
  const forbid = (what: string) => (node: { readonly start: number }) => {
    forbidden.push({ what, line: lineAt(node.start) })
  }
  const found = (what: string, node: { readonly start: number }): void => {
    effects.push({ what, line: lineAt(node.start) })
  }
  const reach = (specifier: string, kind: Import['kind'], node: { readonly start: number }): void => {
    imports.push({ specifier, kind, line: lineAt(node.start) })
  }

  new Visitor({
    ImportDeclaration: (node) => reach(node.source.value, node.importKind === 'type' ? 'type' : 'static', node),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) reach(node.source.value, node.exportKind === 'type' ? 'type' : 'static', node)
    },
    ExportAllDeclaration: (node) => {
      reach(node.source.value, node.exportKind === 'type' ? 'type' : 'static', node)
      forbid('export *')(node)
    },
    TSImportType: (node) => reach(node.source.value, 'type', node),
    ImportExpression: (node) => {
      if (node.source.type === 'Literal' && typeof node.source.value === 'string')
        reach(node.source.value, 'lazy', node)
      else forbid('import() of a computed name')(node)
    },
    TSAnyKeyword: forbid('any'),
    TSEnumDeclaration: forbid('enum'),
    TSModuleDeclaration: forbid('namespace'),
    TSNonNullExpression: forbid('non-null assertion'),
    TSParameterProperty: forbid('parameter property'),
    TSImportEqualsDeclaration: forbid('import ='),
    TSLiteralType: (node) => void inTypes.add(node.literal.start),
    Literal: (node) => {
      if (typeof node.value === 'string' && !inTypes.has(node.start))
        words.push({ what: node.value, line: lineAt(node.start) })
    },
    Property: (node) => {
      if (node.key.type === 'Identifier') words.push({ what: node.key.name, line: lineAt(node.start) })
    },
    MemberExpression: (node) => {
      if (node.property.type === 'Identifier') words.push({ what: node.property.name, line: lineAt(node.start) })
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return
      const { name } = node.property
      if (effectMembers.get(node.object.name)?.has(name) === true) found(`${node.object.name}.${name}`, node)
    },
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && effectCalls.has(node.callee.name)) found(`${node.callee.name}()`, node)
    },
    NewExpression: (node) => {
      const isDate = node.callee.type === 'Identifier' && node.callee.name === 'Date'
      if (isDate && node.arguments.length === 0) found('new Date()', node)
    },
  }).visit(program)
  return { imports, forbidden, effects, words }
}
