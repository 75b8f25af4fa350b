import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { prometheusSink } from '../../src/telemetry.ts'
import { readExposition } from '../support/exposition.ts'
import { hasPromtool, promtool } from '../support/promtool.ts'

const root = path.resolve(import.meta.dirname, '../..')
const rulesFile = path.join(root, 'monitoring', 'alerts.yml')
const testsFile = path.join(root, 'monitoring', 'alerts.test.yml')
const rulesText = readFileSync(rulesFile, 'utf8')

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string }
}
const dashboard = JSON.parse(readFileSync(path.join(root, 'monitoring', 'dashboard.json'), 'utf8')) as {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}
/** The dashboard's expressions, with what Grafana puts in their place. */
const panels = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({
    title,
    expr: expr.replaceAll('$job', '.+').replaceAll('$__rate_interval', '5m'),
  })),
)
const alerts = (parse(rulesText) as { groups: { rules: Alert[] }[] }).groups.flatMap(({ rules }) => rules)

/** Everything that a gate in observe mode with one remote policy point and a witnessed log exports. */
const exported = readExposition(
  (() => {
    const { sink, text } = prometheusSink({
      health: () => ({
        mode: 'observe',
        held: 0,
        points: [{ id: 'opa', tools: ['*'], breaker: 'closed', canary: 'passed', policyAgeMs: 0 }],
        log: { state: 'current', size: 7, unlogged: 0, signedAt: 0, witnessed: true },
      }),
    })
    sink({ event: 'gate-opened', mode: 'observe', policy: 'p', store: 'memory' })
    return text()
  })(),
)

const scratch = mkdtempSync(path.join(tmpdir(), 'holdpoint-alerts-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** `metric{label="value", other=~"a|b"}` in an expression. */
function selectors(expr: string) {
  return [...expr.matchAll(/\b(holdpoint_\w+)(?:\{([^}]*)\})?/g)].map(([, metric = '', inside = '']) => ({
    metric,
    matchers: [...inside.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = '', values = '']) => ({
      label,
      values: values.split('|'),
    })),
  }))
}

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(page: string): ReadonlySet<string> {
  const headings = [...readFileSync(path.join(root, page), 'utf8').matchAll(/^#+ (.+)$/gm)]
  return new Set(headings.map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-')))
}

describe('every alert', () => {
  it.each(alerts.map((one) => [one.alert, one] as const))('%s says what happened and where to read on', (_, alert) => {
    expect(alert.annotations.summary).toMatch(/\.$/)
    expect(alert.annotations.description).toMatch(/\.$/)
    expect(['critical', 'warning', 'info']).toContain(alert.labels.severity)
    const [page = '', anchor = ''] = alert.annotations.runbook.split('#')
    expect(anchors(page)).toContain(anchor)
  })

  it.each(alerts.map((one) => [one.alert, one.expr] as const))('%s looks at what is exported', (_, expr) => {
    for (const { metric, matchers } of selectors(expr)) {
      const series = exported.filter(({ name }) => name === metric)
      expect(series, metric).not.toEqual([])
      for (const { label, values } of matchers) {
        const known = series.map(({ labels }) => labels.get(label))
        for (const value of values) expect(known, `${metric} ${label}`).toContain(value)
      }
    }
  })

  it('is proved to fire', () => {
    const proved = readFileSync(testsFile, 'utf8')
    expect(alerts.filter(({ alert }) => !proved.includes(`alertname="${alert}"`))).toEqual([])
  })
})

describe('every panel of the dashboard', () => {
  it.each(panels.map(({ title, expr }) => [title, expr] as const))('%s shows what is exported', (_, expr) => {
    const shown = selectors(expr).map(({ metric }) => metric)
    expect(shown).not.toEqual([])
    for (const metric of shown) expect(exported.map(({ name }) => name)).toContain(metric)
  })
})

describe.skipIf(!hasPromtool)('Prometheus itself', () => {
  it('loads the rules and finds that they fire as they should', () => {
    expect(promtool(['check', 'rules', rulesFile])).toMatchObject({ status: 0 })
    expect(promtool(['test', 'rules', testsFile])).toMatchObject({ status: 0 })
  })

  it('can read every expression of the dashboard', () => {
    const rules = panels.map(({ expr }, at) => ({ record: `panel:${at}`, expr }))
    const file = path.join(scratch, 'panels.yml')
    writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }))
    expect(promtool(['check', 'rules', file])).toMatchObject({ status: 0 })
  })

  it.each([
    ['that something happened between two scrapes', /increase\((\w+)\[5m\]\) > 0\n\s+or /g],
    ['a counter that is first seen at 1', /or \(\w+ > 0 unless \w+ offset 5m\)/g],
    ['a process that began anew', /or \(\w+ > 0 and on \(job, instance\) time\(\) - \w+ < 300\)/g],
  ])('notices when the rules no longer see %s', (_, way) => {
    const without = rulesText.replaceAll(way, '')
    expect(without).not.toBe(rulesText)
    writeFileSync(path.join(scratch, 'alerts.yml'), without)
    copyFileSync(testsFile, path.join(scratch, 'alerts.test.yml'))
    expect(promtool(['check', 'rules', path.join(scratch, 'alerts.yml')])).toMatchObject({ status: 0 })
    expect(promtool(['test', 'rules', path.join(scratch, 'alerts.test.yml')])).toMatchObject({ status: 1 })
  })
})
