import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask } from '../../src/decide/deadline.ts'
import type { Decision, PolicyDecisionPoint } from '../../src/types.ts'
import { cerbos, opa } from '../../src/wire/points.ts'
import { type Engine, enginesInstalled, startCerbos, startOpa } from '../support/engines.ts'
import { evaluationRequest, type Told } from '../support/evaluation.ts'
import { blocksOf } from '../support/markdown.ts'

const root = resolve(import.meta.dirname, '../..')
const blocks = blocksOf(readFileSync(resolve(root, 'docs/policy-points.md'), 'utf8'))
const shown = (language: string): string => blocks.find((block) => block.language === language)?.text ?? ''
const shipped = (name: string): string => readFileSync(resolve(root, 'policies', name), 'utf8')

async function decisions(
  engine: Engine,
  create: (url: string) => PolicyDecisionPoint,
  told: readonly Told[],
): Promise<readonly (Decision | undefined)[]> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const point = create(engine.url)
  try {
    const terms = { budgetMs: 5_000, clock, signal: undefined, schema: undefined }
    expect(await point.canary?.({ signal: AbortSignal.timeout(5_000) })).toEqual({ kind: 'passed' })
    return await Promise.all(told.map(async (each) => await ask(point, evaluationRequest(each), terms)))
  } finally {
    await engine.stop()
  }
}

describe.skipIf(!enginesInstalled())('docs/policy-points.md', () => {
  it('shows a rule that a real OPA decides by, as the page says', async () => {
    const engine = await startOpa({ 'shop.rego': shown('rego'), 'canary.rego': shipped('canary.rego') })
    const found = await decisions(engine, (url) => opa({ url: `${url}/v1/data/shop/decision` }), [
      { arguments: { amount: 500 } },
      { arguments: { amount: 501 } },
      { arguments: { amount: 501 }, approval: { confirmed: false, roles: ['finance'] } },
    ])
    expect(found).toMatchObject([
      { kind: 'permit' },
      {
        cause: { kind: 'requestable', requires: 'approval:finance' },
        sentence: 'Refunds above 500 EUR need approval from finance.',
      },
      { kind: 'permit' },
    ])
  })

  it('shows a policy that a real Cerbos decides by, as the page says', async () => {
    const files = { 'tool.yaml': shown('cerbos'), 'canary.yaml': shipped('canary.cerbos.yaml') }
    const found = await decisions(await startCerbos(files), (url) => cerbos({ url }), [
      { roles: ['support'], arguments: { amount: 500 } },
      { roles: ['support'], arguments: { amount: 501 } },
      { arguments: { amount: 500 } },
    ])
    expect(found.map((decision) => decision?.kind)).toEqual(['permit', 'deny', 'deny'])
  })
})
