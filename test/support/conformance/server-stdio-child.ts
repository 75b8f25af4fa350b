// The fixture over stdio, in both eras: the first message decides, as serveStdio has it. Ends when its input does.
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createFixture } from './fixture.ts'

serveStdio(() => createFixture())
