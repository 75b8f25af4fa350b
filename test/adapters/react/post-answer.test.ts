/** What `postAnswer` takes for an answer that was recorded: the handler's own word, and nothing else. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { postAnswer } from '../../../adapters/react/use-approval.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function hostThat(answers: (response: ServerResponse, url: string) => unknown): Promise<string> {
  const server = createServer((request, response) => void answers(response, request.url ?? ''))
  closing.push(() => void server.close())
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/approvals`
}

const send = async (url: string) => await postAnswer(url)({ ref: 'hp_7f3k9qtm', answer: 'declined' })

it('is content once the answer is recorded', async () => {
  const url = await hostThat((response) => response.end('{"outcome":"recorded"}'))
  await expect(send(url)).resolves.toBeUndefined()
})

it.each([
  ['a refusal', 409, '{"outcome":"refused","message":"It was declined."}', 'It was declined.'],
  ['a refusal that says all is well', 200, '{"outcome":"refused","message":"No."}', 'No.'],
  ['a page', 200, '<!doctype html><title>Sign in</title>', 'not that it was recorded'],
  ['nothing', 204, '', 'the server answered 204'],
])('does not take %s for it', async (_, status, body, why) => {
  const url = await hostThat((response) => response.writeHead(status).end(body))
  await expect(send(url)).rejects.toThrow(why)
})

it('does not take the page to sign in on for it, to which a host sends whoever has to', async () => {
  const url = await hostThat((response, path) =>
    path === '/approvals' ? response.writeHead(303, { location: '/sign-in' }).end() : response.end('<form>'),
  )
  await expect(send(url)).rejects.toThrow('not that it was recorded')
})
