import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { verifyBundle } from '../../src/verify.ts'
import { type Case, corpus } from '../support/bundle-corpus.ts'
import { chance, mutated } from '../support/bundle-mutations.ts'
import { gateKey } from '../support/bundles.ts'
import { type Opinion, secondOpinion } from '../support/second-verifier/index.ts'

/** How many changed bundles both have to agree on; 100,000 take a quarter of an hour. */
const MUTATIONS = Number(process.env['HOLDPOINT_MUTATIONS'] ?? 600)
const SEED = Number(process.env['HOLDPOINT_SEED'] ?? 6)

const signer = gateKey()
let cases: readonly Case[]
beforeAll(async () => {
  cases = await corpus(signer)
})

/** What the first verifier says, as far as the second says it too. */
async function firstOpinion(lines: readonly string[], trust: Case['trust']): Promise<Opinion> {
  const { ok, complete, count, checks } = await verifyBundle(lines, trust)
  return { ok, complete, count, results: Object.fromEntries(checks.map(({ check, result }) => [check, result])) }
}

describe('a second verifier, written from the page', () => {
  it('shares no line with the first: not a module of ours, and no library', () => {
    const folder = new URL('../support/second-verifier/', import.meta.url)
    const imports = readdirSync(folder).flatMap((name) => [
      ...readFileSync(new URL(name, folder), 'utf8').matchAll(/(?:from |import\()'([^']+)'/g),
    ])
    const named = new Set(imports.map(([, specifier]) => specifier))
    expect([...named].filter((name) => !name?.startsWith('./'))).toEqual(['node:crypto'])
  })

  it('says the same of every bundle of the corpus, check by check', async () => {
    for (const { name, lines, trust } of cases) {
      expect([name, await secondOpinion(lines, trust)]).toEqual([name, await firstOpinion(lines, trust)])
    }
    expect(cases.length).toBeGreaterThan(20)
  })

  it(`says the same of ${MUTATIONS} changed ones`, { timeout: 3_600_000 }, async () => {
    const pick = chance(SEED)
    const strangers = cases.flatMap(({ lines }) => lines)
    const seen = new Map<string, number>()
    for (let n = 0; n < MUTATIONS; n += 1) {
      const { name, lines, trust } = cases[pick(cases.length)] as Case
      let changed: readonly string[] = mutated(lines, strangers, signer, pick)
      while (pick(4) === 0 && changed.length > 0 && changed.every(isJson))
        changed = mutated(changed, strangers, signer, pick)
      const [first, second] = [await firstOpinion(changed, trust), await secondOpinion(changed, trust)]
      // Compared as text first: a hundred thousand deep comparisons take longer than the verifying.
      if (JSON.stringify(first) !== JSON.stringify(second)) {
        expect({ n, name, changed, ...second }).toEqual({ n, name, changed, ...first })
      }
      for (const [check, result] of Object.entries(first.results)) {
        const what = `${check} ${result}`
        seen.set(what, (seen.get(what) ?? 0) + 1)
      }
    }
    if (MUTATIONS > 5_000) console.log(Object.fromEntries([...seen].sort()))
    // The changes reach every check that can fail: otherwise agreement would say little.
    const failed = [...seen.keys()].filter((what) => what.endsWith(' fail'))
    if (MUTATIONS >= 600) expect(failed.length).toBeGreaterThanOrEqual(12)
  })
})

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}
