// The fixture over stdio, in both eras: the first message decides, as serveStdio has it. Ends when its input does.
import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  PROTOCOL_VERSION_META_KEY,
  UnsupportedProtocolVersionError,
} from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createFixture } from './fixture.ts'

const MODERN = ['2026-07-28']

/** serveStdio looks at the revision of the first message alone; over HTTP, the SDK looks at each. So does this. */
class RevisionCheckingTransport extends StdioServerTransport {
  override async start(): Promise<void> {
    const serve = this.onmessage
    this.onmessage = (message) => {
      const error = unsupported(message)
      if (error === undefined) serve?.(message)
      else void this.send(error)
    }
    await super.start()
  }
}

function unsupported(message: JSONRPCMessage): JSONRPCMessage | undefined {
  if (!isJSONRPCRequest(message)) return undefined
  const requested = message.params?._meta?.[PROTOCOL_VERSION_META_KEY]
  if (typeof requested !== 'string' || MODERN.includes(requested)) return undefined
  const { code, message: text, data } = new UnsupportedProtocolVersionError({ supported: MODERN, requested })
  return { jsonrpc: '2.0', id: message.id, error: { code, message: text, data } }
}

serveStdio(() => createFixture(), { transport: new RevisionCheckingTransport() })
