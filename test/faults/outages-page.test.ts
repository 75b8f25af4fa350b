import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readMatrix } from '../support/fault-matrix.ts'
import { tablesOf } from '../support/outage-page.ts'

const PAGE = new URL('../../docs/outages.md', import.meta.url)

it('docs/outages.md says what the fault matrix says; `npm test -- test/faults/outages-page.test.ts -u` writes it anew', async () => {
  const page = readFileSync(PAGE, 'utf8')
  const [before = '', , after = ''] = page.split(/(?<=<!-- matrix -->\n)|(?=<!-- end of matrix -->)/)
  await expect(`${before}\n${tablesOf(readMatrix())}\n${after}`).toMatchFileSnapshot(PAGE.pathname)
})
