// The fixture over HTTP, in both eras at one URL, which is the only line that it prints.
import { serveFixture } from './http-server.ts'

process.stdout.write(`${await serveFixture()}\n`)
