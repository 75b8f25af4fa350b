import { describe, expect, it } from 'vitest'
import { HoldpointError } from '../../src/errors.ts'
import { loadPolicies } from '../../src/policy/load.ts'

const GOOD = '@id("good")\npermit (principal, action, resource);\n'

function mistake(...texts: readonly string[]): HoldpointError {
  try {
    loadPolicies(texts.map((text, index) => ({ path: `p${index}.cedar`, text })))
  } catch (cause) {
    if (cause instanceof HoldpointError) return cause
    throw cause
  }
  throw new Error('loaded without a complaint')
}

describe('loading policies', () => {
  it('keeps each policy with its id, file and line, in whatever order Cedar hands them out', () => {
    // Cedar's own ids sort as policy0, policy1, policy10, policy2.
    const text = Array.from(
      { length: 12 },
      (_, n) => `// rule ${n}; with a ";"\n@id("rule-${n}")\npermit (principal, action, resource);\n`,
    ).join('\n')
    const { policies } = loadPolicies([{ path: 'many.cedar', text }])
    expect(new Map(policies.map(({ id, at }) => [id, at]))).toEqual(
      new Map(Array.from({ length: 12 }, (_, n) => [`rule-${n}`, `many.cedar:${n * 4 + 2}`])),
    )
  })

  it('is not misled by a semicolon or a policy inside a comment or a text', () => {
    const text = `// @id("fake") permit (principal, action, resource);\n${GOOD}@id("b") @refusal("No; \\"never\\" // here.")\nforbid (principal, action, resource) // ; end\nwhen { "a;b" == "a;b" };`
    const { policies } = loadPolicies([{ path: 'x.cedar', text }])
    expect(policies.map(({ id, at, refusal }) => [id, at, refusal])).toEqual([
      ['b', 'x.cedar:4', 'No; "never" // here.'],
      ['good', 'x.cedar:2', undefined],
    ])
  })

  it('reads what annotations say', () => {
    const [policy] = loadPolicies([
      {
        path: 'x.cedar',
        text: '@id("a/b.c-1") @requires("approval:finance") @refusal("Ask.") @obligation("notify:{\\"to\\":\\"x\\"}") @disclose("none") permit (principal, action, resource);',
      },
    ]).policies
    expect(policy).toMatchObject({
      id: 'a/b.c-1',
      requires: 'approval:finance',
      refusal: 'Ask.',
      obligation: { id: 'a/b.c-1', type: 'notify', properties: { to: 'x' } },
      disclose: 'none',
    })
  })
})

describe('mistakes in policies say where and what', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'a missing comma',
      `${GOOD}// äöü €\npermit (principal, action resource);`,
      'p0.cedar:4',
      /:4:27: unexpected token `resource`; expected .*`,`/,
    ],
    [
      'a missing semicolon',
      '@id("a")\npermit (principal, action, resource)',
      'p0.cedar:2',
      /unexpected end of input; expected `;`/,
    ],
    [
      'an unknown variable',
      '@id("a") permit (principal, action, resource) when { amount > 5 };',
      'p0.cedar:1',
      /invalid variable: amount/,
    ],
    ['a missing @id', `${GOOD}\npermit (principal, action, resource);`, 'p0.cedar:4', /has no @id/],
    ['an empty @id', '@id permit (principal, action, resource);', 'p0.cedar:1', /@id must be letters/],
    [
      'an unknown annotation',
      '@id("a")\n@require("confirmation")\npermit (principal, action, resource);',
      'p0.cedar:2',
      /:2:1: unknown annotation @require; did you mean "requires"\?/,
    ],
    [
      'a requirement that nobody can meet',
      '@id("a")\n\n@requires("approve")\npermit (principal, action, resource);',
      'p0.cedar:3',
      /must be "confirmation" or "approval:<role>"/,
    ],
    [
      'a forbid that asks for a yes which would not lift it',
      '@id("a") @requires("confirmation") forbid (principal, action, resource);',
      'p0.cedar:1',
      /would ask in vain.*unless \{ context\.approval\.confirmed \}/,
    ],
    [
      'an obligation of a forbid',
      '@id("a") @obligation("log") forbid (principal, action, resource);',
      'p0.cedar:1',
      /belongs on a permit/,
    ],
    [
      'an obligation that is no JSON',
      '@id("a") @obligation("log:{oops}") permit (principal, action, resource);',
      'p0.cedar:1',
      /JSON object/,
    ],
    [
      'an empty refusal',
      '@id("a") @refusal("") permit (principal, action, resource);',
      'p0.cedar:1',
      /must be a sentence/,
    ],
    [
      'an unknown disclosure',
      '@id("a") @disclose("all") permit (principal, action, resource);',
      'p0.cedar:1',
      /must be "model", "person" or "none"/,
    ],
    [
      'an unknown tier',
      '@id("a")\npermit (principal, action in Action::"hihg", resource);',
      'p0.cedar:2',
      /unknown action group "hihg".*did you mean "high"\?/,
    ],
    [
      'an unknown surface',
      '@id("a")\nforbid (principal, action, resource)\nwhen { action in Action::"surface-finance" };',
      'p0.cedar:3',
      /did you mean "surface-financial"\?/,
    ],
    [
      'an unknown entity type',
      '@id("a")\nforbid (principal in Group::"x", action, resource);',
      'p0.cedar:2',
      /unknown entity type Group; /,
    ],
    [
      'an unknown type in `is`',
      '@id("a")\nforbid (principal, action, resource) when { principal is Usr };',
      'p0.cedar:2',
      /did you mean "User"\?/,
    ],
    [
      'an unknown member of context',
      '@id("a")\npermit (principal, action, resource) when { context.argument.x == 1 };',
      'p0.cedar:2',
      /context has no "argument"; did you mean "arguments"\?/,
    ],
    ['a template', `${GOOD}@id("a")\npermit (principal == ?principal, action, resource);`, 'p0.cedar:3', /templates/],
  ])('%s', (_, text, at, message) => {
    const error = mistake(text)
    expect(error).toMatchObject({ code: 'ERR_POLICY', at })
    expect(error.message).toMatch(message)
    expect(error.message).toContain(at)
  })

  it('refuses one @id for two policies, in one file or in two, and names both places', () => {
    expect(mistake(`${GOOD}${GOOD}`)).toMatchObject({
      at: 'p0.cedar:3',
      message: expect.stringContaining('p0.cedar:1'),
    })
    expect(mistake(GOOD, `\n${GOOD}`)).toMatchObject({
      at: 'p1.cedar:2',
      message: expect.stringContaining('p0.cedar:1'),
    })
  })

  it('I4: refuses a set without a policy', () => {
    expect(mistake('// all commented out')).toMatchObject({ code: 'ERR_POLICY', at: 'p0.cedar:1' })
    expect(mistake()).toMatchObject({ code: 'ERR_POLICY' })
  })
})

describe('obligations that the gate meets itself', () => {
  const obliging = (text: string) =>
    `// one\n@id("a")\n@obligation(${JSON.stringify(text)})\npermit (principal, action, resource);\n`
  const mistakes: readonly [string, RegExp][] = [
    ['limit', /:3:1: @obligation \("limit"\) "path" must be a JSON Pointer/],
    ['limit:{"path":"amount","max":1}', /"path" must be a JSON Pointer/],
    ['limit:{"path":"/__proto__/x","max":1}', /none into a prototype/],
    ['limit:{"path":"/amount","max":"500"}', /"max" must be a number/],
    ['limit:{"path":"/amount","maximum":500}', /has no "maximum"; it has path, max/],
    ['dry_run:{"path":"/a~2"}', /"path" must be/],
    ['redact_output:{"path":"/a"}', /has no "path"; it has paths, with/],
    ['redact_output:{"paths":[]}', /"paths" must be a list/],
    ['redact_output:{"paths":["/a","b"]}', /each of "paths" must be/],
    ['notify:{"to":7}', /"to" must be a text/],
  ]
  it.each(mistakes)('are held to their properties: %s', (text, message) => {
    const found = mistake(obliging(text))
    expect(found).toMatchObject({ code: 'ERR_POLICY', at: expect.stringMatching(/^p0\.cedar:3/) })
    expect(found.message).toMatch(message)
  })

  it.each([
    'limit:{"path":"/amount","max":500}',
    'dry_run:{"path":"/dryRun"}',
    'redact_output:{"paths":["/rows/*/email",""],"with":null}',
    'notify:{"to":"finance","urgent":true}',
    'of-my-own:{"any":1}',
  ])('load as written: %s', (text) => {
    expect(loadPolicies([{ path: 'p.cedar', text: obliging(text) }]).policies).toHaveLength(1)
  })
})
