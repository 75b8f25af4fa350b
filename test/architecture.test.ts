import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { REFUSAL_CODES } from '../src/refusal/codes.ts'
import { type Import, readSource, type SourceFacts } from './support/source-reader.ts'

/** What a room may import. `'*'` stands for everything of that kind. */
interface Room {
  readonly rooms: readonly string[] | '*'
  /** Rooms that may be named in `import type` alone. */
  readonly typesOf?: readonly string[]
  readonly packages?: readonly string[]
  /** Packages that are loaded only when they are needed. */
  readonly lazy?: readonly string[]
  readonly node?: readonly string[] | '*'
  /** Effects (time, chance, process, network) enter a pure room as arguments. */
  readonly pure?: true
  /** Effects that a pure room may have after all, each with its reason in the table. */
  readonly except?: readonly string[]
}

const noun = ['types', 'errors', 'bytes'] as const

/** The import table. A room that is not listed here may not exist; AGENTS.md shows it in words, and is held to it below. */
const table: { readonly [room: string]: Room } = {
  types: { rooms: [], pure: true },
  errors: { rooms: ['types'], pure: true },
  bytes: { rooms: ['types', 'errors'], pure: true },
  'bytes/digest': { rooms: ['types', 'errors'], node: ['node:crypto'] },
  files: { rooms: ['bytes'], node: ['node:crypto', 'node:fs', 'node:path'] },
  call: { rooms: noun, packages: ['@cfworker/json-schema'], pure: true },
  materiality: { rooms: noun, packages: ['shell-quote/parse.js'], pure: true },
  policy: { rooms: noun, packages: ['@cedar-policy/cedar-wasm/nodejs'], pure: true },
  decide: { rooms: noun, packages: ['p-timeout'], pure: true },
  permit: { rooms: noun, pure: true },
  refusal: { rooms: noun, pure: true },
  approval: { rooms: noun, pure: true },
  override: { rooms: noun, packages: ['zod', 'p-timeout'], pure: true },
  'override/keys': { rooms: noun, node: ['node:crypto'], pure: true },
  'override/folder': { rooms: [...noun, 'files'], node: ['node:fs', 'node:fs/promises', 'node:path'] },
  receipt: {
    rooms: noun,
    packages: ['zod/mini', 'zod/v4/core', 'zod/v4/locales/en.js', 'jose', '@noble/hashes/sha2.js'],
    pure: true,
  },
  // A store that never answers must not hang its caller: the wait is bounded here, and no verdict hangs on the timer.
  'receipt/chain': { rooms: noun, pure: true, except: ['setTimeout()'] },
  'receipt/sign': { rooms: noun, node: ['node:crypto'], pure: true },
  'receipt/key-env': { rooms: noun, node: ['node:crypto'], pure: true },
  'receipt/key-file': { rooms: [...noun, 'files'], node: ['node:crypto', 'node:fs', 'node:path'] },
  log: { rooms: noun, pure: true },
  witness: { rooms: [...noun, 'log'], pure: true },
  'log-keeper': { rooms: [...noun, 'config', 'log', 'receipt', 'store', 'witness'], node: '*' },
  store: { rooms: [...noun, 'files', 'log'], node: '*', packages: ['p-timeout', 'zod'], lazy: ['pg'] },
  telemetry: { rooms: noun, node: '*', packages: ['@opentelemetry/api'] },
  config: { rooms: noun, node: ['node:fs', 'node:path', 'node:os', 'node:url'], packages: ['yaml', 'zod'] },
  wire: { rooms: [...noun, 'decide', 'policy'], node: ['node:http', 'node:https'] },
  web: { rooms: noun },
  webhook: { rooms: noun, node: ['node:crypto'] },
  principal: { rooms: noun, node: ['node:async_hooks', 'node:os'] },
  gate: {
    rooms: [...noun, 'call', 'materiality', 'policy', 'decide', 'permit', 'refusal', 'approval', 'receipt'],
    typesOf: ['store', 'telemetry', 'own-files', 'override'],
    pure: true,
  },
  // Names of files are compared as the platform resolves them.
  'own-files': { rooms: ['types', 'bytes'], node: ['node:path', 'node:url'], pure: true },
  view: { rooms: [...noun, 'gate', 'call', 'approval', 'principal'], pure: true },
  'create-gate': { rooms: '*', node: '*' },
  'create-panel': { rooms: [...noun, 'config', 'decide', 'policy', 'wire'] },
  verify: { rooms: [...noun, 'receipt', 'log'], packages: ['@noble/hashes/sha2.js'], pure: true },
  postgres: { rooms: [...noun, 'store'] },
  testing: { rooms: '*', node: '*' },
  index: { rooms: '*' },
  cli: {
    rooms: '*',
    node: '*',
    packages: ['commander', 'diff', 'jsonc-parser', 'yaml', 'zod'],
    lazy: ['ai', 'ai/test', '@ai-sdk/mcp', '@ai-sdk/mcp/mcp-stdio', '@ai-sdk/openai', '@modelcontextprotocol/sdk'],
  },
}

const root = path.resolve(import.meta.dirname, '..')
const sources = ['src', 'adapters'].flatMap((folder) => filesBelow(path.join(root, folder)))
const facts = new Map(sources.map((file) => [file, readSource(file, readFileSync(path.join(root, file), 'utf8'))]))

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => path.relative(root, path.join(folder, name)))
    .sort()
}

/**
 * `src/store/sqlite.ts` lives in `store`, `adapters/ai-sdk/tools.ts` in `adapters/ai-sdk`. The pass is written in a few files
 * side by side: whatever stands at the top of `src` and is no room of its own belongs to `gate`.
 */
function roomOf(file: string): string {
  const [top, first = '', second] = file.replace(/\.tsx?$/, '').split('/')
  if (top === 'adapters') return `adapters/${first}`
  const exact = second === undefined ? first : `${first}/${second}`
  if (Object.hasOwn(table, exact)) return exact
  return second === undefined ? 'gate' : first
}

/** The wider room of an exceptional file: `bytes/digest` is in `bytes`. */
function wing(room: string): string {
  return room.startsWith('adapters/') ? room : (room.split('/')[0] ?? room)
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

function targetOf(file: string, specifier: string): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))
}

/** Why this import breaks the table, or `undefined`. */
function breach(file: string, { specifier, kind }: Import): string | undefined {
  const name = roomOf(file)
  if (name.startsWith('adapters/')) return adapterBreach(file, specifier, kind)
  const room = table[name]
  if (room === undefined) return `the room ${name} is not in the table`
  if (specifier.startsWith('node:')) {
    const allowed = room.node === '*' || room.node?.includes(specifier) === true
    return allowed ? undefined : `${name} may not import ${specifier}`
  }
  if (!isRelative(specifier)) {
    const eager = room.packages?.includes(specifier) === true
    const allowed = eager || (kind !== 'static' && room.lazy?.includes(specifier) === true)
    return allowed ? undefined : `${name} may not import the package ${specifier}`
  }
  const target = targetOf(file, specifier)
  if (name === 'cli' && /^adapters\/[^/]+\/index\.ts$/.test(target)) return undefined
  if (!target.startsWith('src/')) return `${name} may not leave src for ${target}`
  const there = wing(roomOf(target))
  if (there === 'cli' && name !== 'cli') return `${name} may not import the command line`
  if (there === wing(name) || room.rooms === '*' || room.rooms.includes(there)) return undefined
  if (kind === 'type' && room.typesOf?.includes(there) === true) return undefined
  return `${name} may not import ${there}`
}

const hostPackages: { readonly [adapter: string]: readonly string[] } = {
  'adapters/ai-sdk': ['ai', '@ai-sdk/provider', '@ai-sdk/provider-utils'],
}

/**
 * What one adapter may have beyond the rest. The MCP proxy is a program of its own: it reads bytes, starts processes, listens,
 * and checks tokens.
 */
const ownMeans: {
  readonly [adapter: string]: {
    readonly rooms?: readonly string[]
    readonly files?: readonly string[]
    /** By `import type`, or when needed. */
    readonly lazyFiles?: readonly string[]
    readonly packages: readonly string[]
    readonly hasNode?: true
  }
} = {
  // Text of arguments has to be read before a host's own parser does.
  'adapters/shared': { files: ['src/bytes/strict-json.ts'], packages: [] },
  // The SDK tells a refusal by its class, and by nothing else.
  'adapters/anthropic': { packages: ['@anthropic-ai/sdk/lib/tools/ToolError'] },
  'adapters/mcp-proxy': {
    rooms: ['adapters/mcp', 'src/bytes'],
    packages: ['jose', 'eventsource-parser', 'zod'],
    hasNode: true,
  },
  // Nothing that the host hands over says that it will call no hook; its version does.
  'adapters/mastra': { packages: ['@mastra/core/package.json'] },
  // What the host takes for a message or a runnable has to be one of its classes.
  'adapters/langchain': { packages: ['@langchain/core/messages', '@langchain/core/runnables'] },
  // What runs in a page: nothing that reaches Node. The verifier is loaded when somebody wants something verified.
  'adapters/react': { files: ['src/bytes/legible.ts'], lazyFiles: ['src/verify.ts'], packages: ['react', 'diff'] },
}

/** What a policy, or the gate's own rules, decide by: an adapter that names one of these may be about to decide something itself. */
const DECIDED: ReadonlySet<string> = new Set([
  // A call that has run may end so as well.
  ...Object.keys(REFUSAL_CODES).filter((code) => code !== 'cancelled'),
  ...['low', 'medium', 'high', 'permit', 'silence', 'enforced', 'failMode', 'fail_open'],
])

/** Shows people what was decided, in as many words as there are. */
const DRAWS: ReadonlySet<string> = new Set(['adapters/react'])

const TIERS = ['high', 'low', 'medium']
const OPEN_FOR_A_YES = ['approval_pending', 'approval_required']

/** Every such word in an adapter, and what it is for. A new one is a decision: the gate's, or `adapters/shared`'s for all of them. */
const WORDS: readonly (readonly [file: string, words: readonly string[]])[] = [
  // The operator's own word on a tool is read out of the tool.
  ['adapters/mcp/definition.ts', TIERS],
  ['adapters/shared/declared.ts', TIERS],
  // Parts of stored messages are checked by their schema.
  ['adapters/ai-sdk/data-part.ts', TIERS],
  // A host may pause, or show a form, where somebody's yes is to be had still.
  ['adapters/shared/hearing.ts', OPEN_FOR_A_YES],
  // A tool that pauses by itself goes on after an answer only where the run before it came to no end.
  ['adapters/shared/runs.ts', ['outcome_unknown']],
  // In observe mode the tool's own wish for a yes is the host's to ask.
  ['adapters/ai-sdk/passage.ts', ['enforced']],
  ['adapters/openai-agents/passage.ts', ['enforced']],
  ['adapters/openai-agents/hosted-mcp.ts', ['enforced']],
  // Programmers are told why.
  ['adapters/shared/warnings.ts', ['arguments_rejected']],
  ['adapters/mcp/listing.ts', ['tool_unknown']],
  ['adapters/openai-agents/mcp-server.ts', ['tool_unknown']],
  // What nobody can run is not run in observe mode either, and the model is told so.
  ['adapters/shared/cross.ts', ['tool_unknown']],
  // What the gate refused already is told in the host's words.
  ['adapters/openai-agents/answer.ts', ['approval_mismatch']],
]

/** zod turns a host's own zod schemas into JSON Schema. */
const zodAdapters: ReadonlySet<string> = new Set(['adapters/ai-sdk', 'adapters/claude-agent', 'adapters/shared'])

function adapterBreach(file: string, specifier: string, kind: Import['kind']): string | undefined {
  const name = roomOf(file)
  if (isRelative(specifier)) {
    const target = targetOf(file, specifier)
    const { rooms = [], files = [], lazyFiles = [] } = ownMeans[name] ?? {}
    const within =
      target === 'src/index.ts' ||
      files.includes(target) ||
      (lazyFiles.includes(target) && kind !== 'static') ||
      [name, 'adapters/shared', ...rooms].some((room) => target.startsWith(`${room}/`))
    return within ? undefined : `${name} may import src/index.ts, adapters/shared and itself, not ${target}`
  }
  const { packages = [], hasNode } = ownMeans[name] ?? {}
  if ((hasNode === true && specifier.startsWith('node:')) || packages.includes(specifier)) return undefined
  if (specifier === 'zod') return zodAdapters.has(name) ? undefined : `${name} may not import zod`
  if (hostPackages[name]?.includes(specifier) === true) {
    return kind === 'type' ? undefined : `${name} may import ${specifier} by \`import type\` alone`
  }
  return `${name} may not import ${specifier}`
}

/** What a room may import, as AGENTS.md says it. */
function inWords(name: string): string {
  const { rooms = [], typesOf = [], packages = [], lazy = [], node = [], pure } = table[name] ?? {}
  const files = Object.entries(table).flatMap(([file, more]) =>
    wing(file) === name && file !== name ? [`\`${file.slice(name.length + 1)}.ts\`: ${beyond(name, more)}`] : [],
  )
  const parts = [
    rooms === '*' ? `every room${name === 'cli' ? '' : ' but `cli`'}` : rooms.join(', '),
    ...(typesOf.length > 0 ? [`types of ${typesOf.join(', ')}`] : []),
    ...(packages.length > 0 ? [quoted(packages)] : []),
    ...(lazy.length > 0 ? [`when needed ${quoted(lazy)}`] : []),
    ...(node === '*' ? ['`node:`'] : node.length > 0 ? [quoted(node)] : []),
    ...files,
  ].filter((part) => part !== '')
  return `${parts.length === 0 ? 'nothing' : parts.join('; ')} | ${pure === true ? 'yes' : ''}`.trim()
}

/** What an exceptional file has beyond its room. */
function beyond(name: string, { rooms, node = [], except = [] }: Room): string {
  const { rooms: known = [], node: usual = [] } = table[name] ?? {}
  return [
    rooms === '*' ? 'every room' : rooms.filter((one) => !known.includes(one)).join(', '),
    quoted(node === '*' ? ['node:'] : node.filter((one) => !usual.includes(one))),
    except.join(', '),
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ')
}

/** The rows of the table of rooms in AGENTS.md: the last two cells by the room's name. */
function rowsOfAgents(): ReadonlyMap<string, string> {
  const page = readFileSync(path.join(root, 'AGENTS.md'), 'utf8')
  const section = page.split(/^## /m).find((part) => part.startsWith('Rooms')) ?? ''
  const rows = [...section.matchAll(/^\| `([^`]+)` \| [^|]+ \| (.+?) ?\|$/gm)]
  return new Map(rows.map(([, name = '', cells = '']) => [name, cells.trim()]))
}

function problems(read: (file: string, seen: SourceFacts) => readonly (string | undefined)[]): string[] {
  return [...facts].flatMap(([file, seen]) => read(file, seen).filter((problem) => problem !== undefined))
}

/** Files reached through imports that stay in the JavaScript. */
function reachedFrom(entry: string): ReadonlySet<string> {
  const reached = new Set<string>()
  const queue = [entry]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    for (const { specifier, kind } of facts.get(file)?.imports ?? []) {
      if (kind !== 'type' && isRelative(specifier)) queue.push(targetOf(file, specifier))
    }
  }
  return reached
}

function valueImports(files: Iterable<string>): ReadonlySet<string> {
  const packages = [...files].flatMap((file) =>
    (facts.get(file)?.imports ?? []).filter(({ specifier, kind }) => kind !== 'type' && !isRelative(specifier)),
  )
  return new Set(packages.map(({ specifier }) => specifier))
}

describe('rooms', () => {
  it('import only what the table allows, so that nobody can reorder the pass from inside a stage', () => {
    const found = problems((file, { imports }) =>
      imports.map((one) => {
        const why = breach(file, one)
        return why === undefined ? undefined : `${file}:${one.line} ${why}`
      }),
    )
    expect(found).toEqual([])
  })

  it('are in AGENTS.md as they are in the table, so that nobody builds on a rule that is not held', () => {
    const rooms = Object.keys(table).filter((name) => wing(name) === name)
    const {
      'adapters/*': _,
      'adapters/mcp-proxy': __,
      'adapters/react': ___,
      ...shown
    } = Object.fromEntries(rowsOfAgents())
    expect(shown).toEqual(Object.fromEntries(rooms.map((name) => [name, inWords(name)])))
  })

  it('name the files they import with their .ts ending, and those files exist', () => {
    const found = problems((file, { imports }) =>
      imports
        .filter(({ specifier }) => isRelative(specifier))
        .map(({ specifier, line }) => {
          const target = targetOf(file, specifier)
          if (!/\.tsx?$/.test(target)) return `${file}:${line} ${specifier} has no .ts ending`
          return existsSync(path.join(root, target)) ? undefined : `${file}:${line} ${specifier} does not exist`
        }),
    )
    expect(found).toEqual([])
  })

  it('do without any, enums, namespaces, non-null assertions and blanket exports', () => {
    // The demo names its packages in a list: they are the reader's to install, and the core's types must not need them.
    // A module of tools is named on the command line.
    const excused = new Set([
      'src/cli/demo/packages.ts import() of a computed name',
      'src/cli/init/tool-set-worker.ts import() of a computed name',
    ])
    const found = problems((file, { forbidden }) =>
      forbidden
        .filter(({ what }) => !excused.has(`${file} ${what}`))
        .map(({ what, line }) => `${file}:${line} ${what}`),
    )
    expect(found).toEqual([])
  })

  it('that are pure read no clock, no chance, no process and no network', () => {
    const found = problems((file, { effects }) => {
      const room = table[roomOf(file)]
      if (room?.pure !== true) return []
      return effects
        .filter(({ what }) => room.except?.includes(what) !== true)
        .map(({ what, line }) => `${file}:${line} ${what}`)
    })
    expect(found).toEqual([])
  })
})

describe('entries', () => {
  it('holdpoint/verify runs in a browser: nothing of Node is reached from it', () => {
    const reached = valueImports(reachedFrom('src/verify.ts'))
    expect([...reached].filter((name) => name.startsWith('node:'))).toEqual([])
    expect([...reached].sort()).toEqual([
      '@noble/hashes/sha2.js',
      'jose',
      'zod/mini',
      'zod/v4/core',
      'zod/v4/locales/en.js',
    ])
  })

  it('holdpoint/react runs in a browser: it reaches nothing of Node, and no verifier before somebody asks for one', () => {
    const reached = reachedFrom('adapters/react/index.ts')
    const now = [...reached].filter((file) => !reachedFrom('src/verify.ts').has(file))
    expect([...valueImports(reached)].filter((name) => name.startsWith('node:'))).toEqual([])
    expect([...valueImports(now)].sort()).toEqual(['diff', 'react'])
    expect(reached.has('src/index.ts')).toBe(false)
  })

  it('the log runs in a browser too: it brings no hash and no signature of its own', () => {
    const files = [...facts.keys()].filter((file) => roomOf(file) === 'log')
    expect(files).toContain('src/log/merkle.ts')
    expect([...valueImports(files.flatMap((file) => [...reachedFrom(file)]))]).toEqual([])
  })

  it('the gate itself reaches no store and no sink: they come in as ports', () => {
    const reached = [...reachedFrom('src/gate.ts')].map((file) => wing(roomOf(file)))
    expect(new Set(reached).has('store')).toBe(false)
    expect(new Set(reached).has('telemetry')).toBe(false)
  })

  it('types.ts alone names the families of src/types, which import types of one another and nothing else', () => {
    const found = problems((file, { imports }) =>
      imports.map(({ specifier, kind, line }) => {
        const isFamily = isRelative(specifier) && targetOf(file, specifier).startsWith('src/types/')
        const isRight = file.startsWith('src/types/')
          ? isFamily && kind === 'type'
          : isFamily === (file === 'src/types.ts')
        return isRight ? undefined : `${file}:${line} ${specifier}`
      }),
    )
    expect(found).toEqual([])
  })
})

describe('adapters', () => {
  it('have no policy of their own: what could branch on a decision is listed here, word by word', () => {
    const found = Map.groupBy(
      [...facts].flatMap(([file, { words }]) =>
        file.startsWith('adapters/') && !DRAWS.has(roomOf(file))
          ? words.filter(({ what }) => DECIDED.has(what)).map(({ what }) => ({ file, what }))
          : [],
      ),
      ({ file }) => file,
    )
    const listed = [...found].map(([file, seen]) => [file, [...new Set(seen.map(({ what }) => what))].sort()])
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(WORDS))
  })
})

describe('this check', () => {
  const importing = (specifier: string, kind: Import['kind'] = 'static'): Import => ({ specifier, kind, line: 1 })

  it.each([
    ['src/decide/answer.ts', '../policy/cedar.ts', 'decide may not import policy'],
    ['src/bytes/canonical.ts', 'node:crypto', 'bytes may not import node:crypto'],
    ['src/types/refusal.ts', '../errors.ts', 'types may not import errors'],
    ['src/gate.ts', './store/memory.ts', 'gate may not import store'],
    ['src/policy/cedar.ts', '@cedar-policy/cedar-wasm', 'may not import the package @cedar-policy/cedar-wasm'],
    ['src/create-gate.ts', './cli/main.ts', 'may not import the command line'],
    ['src/attic/box.ts', '../types.ts', 'the room attic is not in the table'],
    ['adapters/ai-sdk/tools.ts', '../../src/gate.ts', 'not src/gate.ts'],
    ['adapters/ai-sdk/tools.ts', 'ai', '`import type` alone'],
    ['adapters/ai-sdk/tools.ts', '../mcp/index.ts', 'not adapters/mcp/index.ts'],
    ['adapters/mcp/link.ts', 'node:http', 'may not import node:http'],
    ['adapters/anthropic/guard-tools.ts', '@anthropic-ai/sdk', 'may not import @anthropic-ai/sdk'],
    ['adapters/openai/guard-tools.ts', '../../src/bytes/strict-json.ts', 'not src/bytes/strict-json.ts'],
    ['adapters/react/refusal.tsx', '../../src/verify.ts', 'not src/verify.ts'],
    ['adapters/react/refusal.tsx', '../../src/bytes/digest.ts', 'not src/bytes/digest.ts'],
    ['adapters/react/refusal.tsx', 'node:crypto', 'may not import node:crypto'],
    ['src/cli/main.ts', '../../adapters/ai-sdk/tools.ts', 'may not leave src'],
    ['src/cli/demo.ts', 'ai', 'may not import the package ai'],
  ])('objects when %s imports %s', (file, specifier, why) => {
    expect(breach(file, importing(specifier))).toContain(why)
  })

  it.each([
    ['src/cli/demo.ts', 'ai', 'lazy'],
    ['src/cli/demo.ts', '../../adapters/ai-sdk/index.ts', 'lazy'],
    ['src/gate.ts', './store/memory.ts', 'type'],
    ['adapters/ai-sdk/tools.ts', 'ai', 'type'],
    ['adapters/mcp-proxy/stdio.ts', 'node:child_process', 'static'],
    ['adapters/mcp-proxy/stdio.ts', '../mcp/index.ts', 'static'],
  ] as const)('lets %s have %s as a %s import', (file, specifier, kind) => {
    expect(breach(file, importing(specifier, kind))).toBeUndefined()
  })

  it.each([
    ['export * from "./a.ts"', 'export *'],
    ['const a: any = 1', 'any'],
    ['enum Colour { Red }', 'enum'],
    ['namespace Attic {}', 'namespace'],
    ['a!.b', 'non-null assertion'],
    ['class A { constructor(readonly b: string) {} }', 'parameter property'],
    ['await import(name)', 'import() of a computed name'],
  ])('sees %s', (text, what) => {
    expect(readSource('a.ts', text).forbidden).toEqual([{ what, line: 1 }])
  })

  it.each(['Date.now()', 'new Date()', 'Math.random()', 'fetch("x")', 'process.env', 'performance.now()'])(
    'sees the effect %s',
    (text) => {
      expect(readSource('a.ts', text).effects).toHaveLength(1)
    },
  )

  it.each([
    ["if (refusal.materiality === 'low') run()", ['low', 'materiality']],
    ["const open = new Map([['no_permit', true]])", ['no_permit']],
    ['const open = { no_permit: true }', ['no_permit']],
    ['if (!admission.enforced) run()', ['enforced']],
    ["type Tier = 'low' | { readonly no_permit: 'high' }", []],
  ])('sees the words of %s', (text, words) => {
    const seen = readSource('a.ts', text).words.map(({ what }) => what)
    expect(seen.toSorted()).toEqual(words)
  })

  it('takes `import { type X }` for what it is: an import that stays in the JavaScript', () => {
    const [kept, erased] = readSource('a.ts', 'import { type A } from "a"\nimport type { B } from "b"').imports
    expect(kept).toEqual({ specifier: 'a', kind: 'static', line: 1 })
    expect(erased).toEqual({ specifier: 'b', kind: 'type', line: 2 })
  })
})
