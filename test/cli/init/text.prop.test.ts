import fc from 'fast-check'
import { expect, it } from 'vitest'
import { judgeTools } from '../../../src/cli/init/judged.ts'
import { configText } from '../../../src/cli/init/text.ts'
import { checkOptions } from '../../../src/config/read.ts'
import { parseYaml } from '../../../src/config/yaml.ts'
import type { ToolDefinition } from '../../../src/types.ts'

const breaks = fc.constantFrom(
  '\n',
  '\r',
  '\u2028',
  '\u0085',
  '\n  x: { materiality: low }\n',
  ' #',
  '"',
  '}',
  '\u001b[0m',
  '---\n',
)
const text = fc.array(fc.oneof(breaks, fc.string({ unit: 'binary' })), { maxLength: 6 }).map((parts) => parts.join(''))
const name = fc.oneof(
  fc.constantFrom('get_order', 'query', 'send', 'null', '1e3', 'constructor', 'a/b', 'zork', '-', 'x'.repeat(200)),
  text,
)
const annotations = fc.record({ readOnlyHint: fc.boolean(), destructiveHint: fc.boolean() }, { requiredKeys: [] })
const tool: fc.Arbitrary<ToolDefinition> = fc
  .record(
    { name, description: text, annotations, inputSchema: fc.constant({ type: 'object' }) },
    { requiredKeys: ['name'] },
  )
  .map((definition) => ({ ...definition, origin: 'third-party' as const }))

it('I8: whatever tools say of themselves, the written file lowers none of them and sets nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(tool, { maxLength: 8 }),
      fc.constantFrom('local', 'files'),
      text,
      (definitions, server, from) => {
        const judged = judgeTools(definitions.map((definition) => ({ server, definition })))
        const written = configText(judged, { from, server, ungated: [from] })
        const { tools = {}, ...others } = checkOptions(parseYaml('holdpoint.yaml', written).value)
        expect(others).toEqual({})
        // Nothing that a terminal obeys, hides or draws backwards reaches whoever reads the file.
        expect(written.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        const taken = judged.flatMap((one) => (one.kind === 'judged' ? [one] : []))
        for (const { tool: id, materiality } of taken) {
          const said = Object.hasOwn(tools, id) ? tools[id] : {}
          expect(said === 'deny' ? undefined : (said?.materiality ?? materiality)).toBe(materiality)
          expect(Object.keys(said ?? {}).filter((key) => key !== 'materiality')).toEqual([])
        }
      },
    ),
  )
})
