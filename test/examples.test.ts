import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { situationOf } from '../src/cli/context.ts'
import { runTable } from '../src/cli/policy/run-table.ts'
import { readTable } from '../src/cli/policy/table.ts'
import { readConfig } from '../src/config/read.ts'
import { loadPolicies } from '../src/policy/load.ts'
import { type Block, blocksOf } from './support/markdown.ts'

const root = path.resolve(import.meta.dirname, '..')
const pages = ['README.md', 'AGENTS.md', 'SECURITY.md', ...pagesBelow('docs')].filter((page) =>
  existsSync(path.join(root, page)),
)
const blocks = pages.flatMap((page) =>
  blocksOf(readFileSync(path.join(root, page), 'utf8')).map((block) => ({ page, ...block })),
)
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  readonly scripts: { readonly [name: string]: string }
}

function pagesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(folder, name))
}

/** An empty project that has holdpoint and its neighbours installed, as a reader's has. */
let project = ''

beforeAll(() => {
  // `npm test` builds first; a run of this file alone must not check against yesterday's types.
  const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, encoding: 'utf8' })
  expect(built.stderr).toBe('')
  project = mkdtempSync(path.join(tmpdir(), 'holdpoint-docs-'))
  const modules = path.join(project, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(path.join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name))
  }
  symlinkSync(root, path.join(modules, 'holdpoint'))
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }\n')
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

/** Writes a block where its first comment says that it belongs, beside the files that its reader has. */
function place(
  { page, file, line, text, given, files }: Block & { readonly page: string },
  otherwise: string,
): { readonly page: string; readonly file: string; readonly line: number; readonly before: number } {
  const put = (name: string, source: string): void => {
    const target = path.join(project, name)
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, source)
  }
  for (const [name, source] of files) put(name, source)
  const lead = given === '' ? '' : `${given.trimEnd()}\n`
  put(file ?? otherwise, `${lead}${text}\nexport {}\n`)
  return { page, file: file ?? otherwise, line, before: lead.split('\n').length - 1 }
}

function typeCheck(): string {
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    module: 'preserve',
    moduleResolution: 'bundler',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    jsx: 'react-jsx',
  }
  writeFileSync(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['**/*.ts', '**/*.tsx'] }),
  )
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json')
  const tsc = path.join(path.dirname(compiler), 'bin', 'tsc')
  return spawnSync(process.execPath, [tsc, '-p', project], { cwd: project, encoding: 'utf8' }).stdout
}

describe('the pages', () => {
  it('begin with a README', () => {
    expect(pages).toContain('README.md')
  })

  it('show TypeScript that compiles against the package as it is published', () => {
    const shown = blocks.filter(({ language }) => language === 'ts' || language === 'tsx')
    const placed = shown.map((block, index) => place(block, `block-${index}.${block.language}`))
    const problems = typeCheck().replace(/^([^(\n]+)\((\d+),/gm, (whole, file, line) => {
      const found = placed.find((one) => one.file === file)
      return found === undefined ? whole : `${found.page}:${found.line + Number(line) - found.before} (`
    })
    expect(problems).toBe('')
  })

  it('show policies that load', () => {
    for (const { page, line, text } of blocks.filter(({ language }) => language === 'cedar')) {
      const padded = `${'\n'.repeat(line)}${text}`
      expect(() => loadPolicies([{ path: page, text: padded }])).not.toThrow()
    }
  })

  it('show configurations that are accepted', () => {
    for (const { page, line, text } of blocks.filter(({ language }) => language === 'yaml')) {
      const file = path.join(project, 'holdpoint.yaml')
      writeFileSync(file, text)
      expect(() => readConfig({ file }), `${page}:${line}`).not.toThrow()
    }
  })

  it('show tables of which every case comes out as it says', () => {
    const tables = blocks.filter(({ language }) => language === 'yml')
    expect(tables).not.toEqual([])
    for (const { page, line, text } of tables) {
      const file = path.join(project, 'shown.test.yaml')
      writeFileSync(file, text)
      const results = runTable(readTable(file), situationOf(false), [])
      expect(
        results.filter(({ problems }) => problems.length > 0),
        `${page}:${line}`,
      ).toEqual([])
    }
  })

  it('name npm scripts that exist', () => {
    const lines = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n'))
    const named = lines.flatMap(
      (line) => line.match(/\bnpm (?:-s |--silent )?run (?:-s |--silent )?([\w:-]+)/)?.[1] ?? [],
    )
    expect(named.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([])
  })

  it('link to files that exist', () => {
    const broken = pages.flatMap((page) => {
      // What stands in code is no link: `[digest](64)`.
      const text = readFileSync(path.join(root, page), 'utf8').replaceAll(/`[^`\n]*`/g, '')
      const links = text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)
      return [...links]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(path.resolve(root, path.dirname(page), target)))
        .map((target) => `${page}: ${target}`)
    })
    expect(broken).toEqual([])
  })
})

describe('the examples', () => {
  const folder = path.join(root, 'examples')
  const examples = readdirSync(folder, { withFileTypes: true })
    // What they share is no story.
    .filter((entry) => entry.isDirectory() && entry.name !== 'support')
    .map(({ name }) => name)

  it('are there, and each tells its story in main.mjs or main.ts', () => {
    expect(examples).not.toEqual([])
    const mains = examples.filter((name) =>
      ['main.mjs', 'main.ts'].some((main) => existsSync(path.join(folder, name, main))),
    )
    expect(mains).toEqual(examples)
  })

  it('import holdpoint by its name, so that they go through the published exports', () => {
    const reaching = examples.flatMap((name) =>
      readdirSync(path.join(folder, name), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(mjs|ts|tsx)$/.test(file) && !file.includes('node_modules'))
        .filter((file) =>
          /from '(\.\.\/)+(src|adapters|dist)\//.test(readFileSync(path.join(folder, name, file), 'utf8')),
        )
        .map((file) => `${name}/${file}`),
    )
    expect(reaching).toEqual([])
  })
})
