import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it, vi } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { judgeCheckpoint } from '../../src/log/trusted-checkpoint.ts'
import { readWitnessPolicy } from '../../src/log/witness-policy.ts'
import { runHere } from '../cli/in-process.ts'
import { ascii, logCrypto } from '../support/log-keys.ts'
import { writerOf } from '../support/stored-receipts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
afterEach(() => vi.unstubAllEnvs())

it('an operator gives a witness the log’s key, and an auditor believes the checkpoint by a policy of both', async () => {
  const state = temporary()
  vi.stubEnv('HOLDPOINT_STATE', state)
  const writer = await writerOf(join(state, 'receipts'))
  await writer.write(3)
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '..', 'support', 'witness-child.ts'), 'example.org/w'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const said = createInterface({ input: child.stdout })
  try {
    const [line] = (await once(said, 'line')) as [string]
    const config = join(state, 'holdpoint.yaml')
    writeFileSync(join(state, 'w.policy'), `${line}\nquorum example.org/w\n`)
    writeFileSync(config, 'log: { witnesses: w.policy }\n')
    const key = (await runHere('log', 'key', '--config', config)).stdout.trim()
    const isKnown = once(said, 'line')
    child.stdin.write(`${key}\n`)
    await isKnown
    expect(await runHere('log', 'checkpoint', '--config', config)).toMatchObject({
      code: 0,
      stdout: '4 receipts are logged, 4 of them now\n  example.org/w: cosigned\n',
    })
    const { stdout } = await runHere('log', 'head', '--config', config)
    const policy = readWitnessPolicy(sha256Bytes, ascii(`log ${key}\n${line}\nquorum example.org/w\n`))
    expect(await judgeCheckpoint(logCrypto, policy, stdout)).toMatchObject({ kind: 'trusted', checkpoint: { size: 4 } })
  } finally {
    const isGone = once(child, 'exit')
    child.stdin.end()
    await isGone
    await writer.close()
  }
})
