// A client for the suite: puts the proxy in front of the server that the suite names last, and runs the fixture's client there.
import { spawn } from 'node:child_process'
import { client, startProxy } from './processes.mjs'

/** Less than the suite gives a client: when it gives up, it ends the shell and leaves what that started. */
const limitMs = 20_000

const proxy = await startProxy(process.argv.at(-1))
try {
  const [command, ...words] = client
  const child = spawn(command, [...words, proxy.url], { stdio: 'inherit', timeout: limitMs })
  process.exitCode = await new Promise((resolve) => child.once('close', resolve))
} finally {
  await proxy.close()
  process.stderr.write(proxy.said())
}
