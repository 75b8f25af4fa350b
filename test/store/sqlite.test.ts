import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { describeStore } from '../support/store-conformance.ts'

let folder = ''

describeStore('sqlite', {
  make: (now) => {
    folder = mkdtempSync(join(tmpdir(), 'holdpoint-store-'))
    return createSqliteStore({ folder, now })
  },
  reopen: (now) => createSqliteStore({ folder, now }),
  clean: () => rmSync(folder, { recursive: true, force: true }),
})
