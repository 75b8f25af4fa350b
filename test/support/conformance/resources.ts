import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { RED_PIXEL } from './parts.ts'

/** The resources that the scenarios read, and the one that they watch. */
export function registerResources(server: McpServer): void {
  server.registerResource(
    'static-text',
    'test://static-text',
    { description: 'A text that never changes', mimeType: 'text/plain' },
    ({ href }) => text(href, 'text/plain', 'This is the content of the static text resource.'),
  )
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'A picture that never changes', mimeType: 'image/png' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'image/png', blob: RED_PIXEL }] }),
  )
  server.registerResource(
    'watched-resource',
    'test://watched-resource',
    { description: 'A text that can be watched', mimeType: 'text/plain' },
    ({ href }) => text(href, 'text/plain', 'Nothing has happened yet.'),
  )
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'One record for each id', mimeType: 'application/json' },
    ({ href }, { id }) => {
      const record = { id, templateTest: true, data: `Data for ID: ${id}` }
      return text(href, 'application/json', JSON.stringify(record))
    },
  )
  acceptSubscriptions(server)
}

function text(uri: string, mimeType: string, content: string) {
  return { contents: [{ uri, mimeType, text: content }] }
}

/** Who watches is remembered nowhere: the watched resource never changes, so there is never word to send. */
function acceptSubscriptions({ server }: McpServer): void {
  server.setRequestHandler('resources/subscribe', () => ({}))
  server.setRequestHandler('resources/unsubscribe', () => ({}))
}
