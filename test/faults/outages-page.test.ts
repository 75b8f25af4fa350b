import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readMatrix } from '../support/fault-matrix.ts'
import { tablesOf } from '../support/outage-page.ts'

const PAGE = new URL('../../docs/outages.md', import.meta.url)

it('docs/outages.md says what the fault matrix says; `npm test -- test/faults/outages-page.test.ts -u` writes it anew', async () => {
  const parts = /^(.*<!-- matrix -->\n).*(<!-- end of matrix -->\n.*)$/s.exec(readFileSync(PAGE, 'utf8'))
  if (parts === null) throw new Error('the page has no place for the matrix')
  const [, before, after] = parts
  await expect(`${before}\n${tablesOf(readMatrix())}\n${after}`).toMatchFileSnapshot(PAGE.pathname)
})
