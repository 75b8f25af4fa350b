/** Finds, reads and checks `holdpoint.yaml`, together with what the program passed in code. */
import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { canonicalText } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import { DEFAULT_SERVER } from '../bytes/names.ts'
import { lineOf } from '../bytes/place.ts'
import { HoldpointError } from '../errors.ts'
import type { OperatorWord, ShortRule } from '../types.ts'
import { configError } from './config-error.ts'
import { DEFAULT_POLICY, type PolicyFile, policyPlaces, readPolicyFiles } from './policy-files.ts'
import { problemOf } from './problem.ts'
import { type ConfigOptions, configSchema } from './schema.ts'
import { shortRules } from './short-form.ts'
import { parseYaml, type YamlSource } from './yaml.ts'

/** The name that is looked for in a folder. */
export const CONFIG_FILE = 'holdpoint.yaml'

const IN_CODE = 'createGate options'

/** A checked configuration, with everything that it refers to read. */
export interface LoadedConfig {
  /** The file, absolute; absent when there is none and the defaults hold. */
  readonly file?: string
  /** Relative paths in the configuration start here. */
  readonly folder: string
  /** SHA-256 of the canonical checked options, committed in the `open` receipt. */
  readonly digest: string
  readonly options: ConfigOptions
  /**
   * What the next start will read, absolute, whether it exists yet or not; a last name with `*` stands for whatever it matches.
   */
  readonly sources: readonly string[]
  /** Never empty: without any, the default policy `ask/v1`. */
  readonly policyFiles: readonly PolicyFile[]
  /** Our own name of the server of in-process tools. */
  readonly server: string
  /** The operator's words by tool, each under its whole name: `shop/refund`. */
  readonly words: ReadonlyMap<string, OperatorWord>
  /** Policies in the short form; they hold beside those of the files. */
  readonly shortRules: readonly ShortRule[]
  /** Where each of `points` stands: `holdpoint.yaml:3:5`, or `createGate options`. */
  readonly pointsAt: readonly string[]
  /** Where `store` stands, in the same way. */
  readonly storeAt: string
  /** Where `log` stands, in the same way; where `log.witnesses` does, if it is there. */
  readonly logAt: string
  /** The file of `log.witnesses`, absolute. */
  readonly witnessPolicy?: string
}

/**
 * Reads the configuration of a folder, or one named file. A folder without `holdpoint.yaml` gets the defaults; a named
 * file that is absent is an error.
 *
 * @param where the folder to look in, the file, or `false` to read no file and no folder: code alone speaks
 * @param code options passed in the program: the same schema, winning key by key over the file
 * @throws HoldpointError ERR_CONFIG with `file:line:column` (or `createGate options`) and the nearest name
 */
export function readConfig(where: string | { readonly file: string } | false, code: unknown = {}): LoadedConfig {
  const file = fileOf(where)
  const text = where === false ? undefined : readText(file, typeof where === 'object')
  const folder = dirname(file)
  const source = text === undefined ? undefined : parseYaml(basename(file), text)
  const written = source === undefined ? {} : checkFile(source)
  const passed = checkOptions(code)
  const options: ConfigOptions = { ...written, ...passed }
  const server = options.server ?? DEFAULT_SERVER
  const witnesses = options.log?.witnesses
  const witnessPolicy = witnesses === undefined ? undefined : resolve(folder, witnesses)
  const policies = options.policies ?? (where === false ? DEFAULT_POLICY : undefined)
  const policiesAt = (index: number): string => {
    if (passed.policies !== undefined) return IN_CODE
    if (source === undefined) return 'policies'
    return source.at(Array.isArray(written.policies) ? ['policies', String(index)] : ['policies'])
  }
  const toolAt = (path: readonly string[], aboutKey: boolean): string =>
    passed.tools !== undefined ? IN_CODE : (source?.at(['tools', ...path], aboutKey) ?? IN_CODE)
  return {
    ...(text === undefined ? {} : { file }),
    folder,
    digest: sha256(canonicalText(options)),
    options,
    sources: [
      ...(where === false ? [] : [file]),
      ...policyPlaces(policies, folder),
      ...(witnessPolicy === undefined ? [] : [witnessPolicy]),
    ],
    policyFiles: readPolicyFiles(policies, folder, policiesAt),
    server,
    words: wordsOf(options, server, (tool) => toolAt([tool], true)),
    shortRules: shortRules(options.tools ?? {}, server, toolAt),
    pointsAt: (options.points ?? []).map((_, index) =>
      passed.points === undefined && source !== undefined ? source.at(['points', String(index)]) : IN_CODE,
    ),
    storeAt: passed.store === undefined && source !== undefined ? source.at(['store']) : IN_CODE,
    logAt:
      passed.log === undefined && source !== undefined
        ? source.at(witnesses === undefined ? ['log'] : ['log', 'witnesses'])
        : IN_CODE,
    ...(witnessPolicy === undefined ? {} : { witnessPolicy }),
  }
}

/**
 * Checks options that were passed in code, with the schema of `holdpoint.yaml`.
 *
 * @throws HoldpointError ERR_CONFIG naming the key and the nearest known one
 */
export function checkOptions(options: unknown): ConfigOptions {
  const result = configSchema.safeParse(options)
  if (result.success) return result.data
  const { sentence } = problemOf(result.error.issues)
  throw configError(IN_CODE, sentence)
}

function checkFile(source: YamlSource): ConfigOptions {
  const result = configSchema.safeParse(source.value)
  if (result.success) return result.data
  const { path, aboutKey, sentence } = problemOf(result.error.issues)
  throw configError(source.at(path, aboutKey), sentence)
}

/** Do policy services alone decide? Where nobody wrote a policy, the default one steps back for them. */
export function onlyServicesDecide({ options, policyFiles, shortRules }: LoadedConfig): boolean {
  const isDefault = options.policies === undefined && policyFiles.every(({ path }) => path === DEFAULT_POLICY)
  return options.points !== undefined && isDefault && shortRules.length === 0
}

/** The whole name of a tool as a configuration or a table writes it: a bare one is of our own server. */
export function toolId(written: string, own: string): string {
  return written.includes('/') ? written : `${own}/${written}`
}

function wordsOf(
  options: ConfigOptions,
  server: string,
  at: (tool: string) => string,
): ReadonlyMap<string, OperatorWord> {
  const words = new Map<string, OperatorWord>()
  for (const [tool, word] of Object.entries(options.tools ?? {})) {
    const id = toolId(tool, server)
    const before = words.get(id)
    // One of the two would be lost.
    if (before !== undefined)
      throw configError(
        at(tool),
        `${id} is named twice, with and without its server; the other stands at ${before.source}: write one`,
      )
    const { materiality, surface, reads } = word === 'deny' ? {} : word
    words.set(id, {
      ...(materiality === undefined ? {} : { materiality }),
      ...(surface === undefined ? {} : { surface }),
      ...(reads === undefined ? {} : { reads }),
      source: at(tool) === IN_CODE ? 'code' : lineOf(at(tool)),
    })
  }
  return words
}

function fileOf(where: string | { readonly file: string } | false): string {
  if (where === false) return resolve(CONFIG_FILE)
  return typeof where === 'string' ? resolve(where, CONFIG_FILE) : resolve(where.file)
}

/** The file's text; `undefined` when an unnamed file does not exist. */
function readText(file: string, mustExist: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    if (error instanceof TypeError) throw unreadable(file, 'is not UTF-8 text', error)
    const code = (error as { readonly code?: string }).code
    if (code === 'ENOENT' && !mustExist) return undefined
    throw unreadable(file, code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'failed'})`, error)
  }
}

function unreadable(file: string, what: string, cause: unknown): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `${file} ${what}`, { at: file, cause })
}
