// A client for the suite: puts the proxy in front of the server that the suite names last, and runs the fixture's client there.
import { spawn } from 'node:child_process'
import { client, startProxy } from './processes.mjs'

const proxy = await startProxy(process.argv.at(-1))
try {
  const [command, ...words] = client
  const child = spawn(command, [...words, proxy.url], { stdio: 'inherit' })
  process.exitCode = await new Promise((resolve) => child.once('close', resolve))
} finally {
  await proxy.close()
  process.stderr.write(proxy.said())
}
