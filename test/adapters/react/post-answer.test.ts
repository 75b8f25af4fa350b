/** What `postAnswer` takes for an answer that was recorded: the handler's own word, and nothing else. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { postAnswer } from '../../../adapters/react/use-approval.ts'
import { approvalHandler } from '../../../src/index.ts'
import { askedBy, fateOf, refundOf, shop } from '../../support/refunds.ts'
import { signedIn, startHost } from '../../support/web-host.ts'

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

it('is heard by a real handler: once, from a page of its own, of what was shown', async () => {
  const { gate, alice } = shop()
  const host = await startHost(approvalHandler(gate, { who: signedIn }))
  closing.push(() => void host.close())
  // What a browser says of the page that posts, and whose it is.
  const from = (origin: string, session: string) => {
    const real = fetch
    const send = postAnswer(`${host.origin}/approvals`)
    return async (answer: Parameters<typeof send>[0]) => {
      vi.stubGlobal('fetch', (url: string, terms: RequestInit & { readonly headers: Record<string, string> }) =>
        real(url, {
          ...terms,
          headers: { ...terms.headers, origin, 'x-session': session },
        }),
      )
      await Promise.resolve(send(answer)).finally(() => vi.unstubAllGlobals())
    }
  }
  const request = await askedBy(alice)
  const { ref, shown } = request
  const other = await askedBy(alice, refundOf(901))
  const yes = { ref, answer: 'approved', shown, reason: 'as agreed' } as const
  await expect(from('https://evil.example', 'bob:finance')(yes)).rejects.toThrow('another site')
  await expect(from(host.origin, 'mallory')(yes)).rejects.toThrow('no request')
  await expect(from(host.origin, 'alice:finance')(yes)).rejects.toThrow('your own call')
  await expect(from(host.origin, 'bob:finance')({ ...yes, shown: other.shown })).rejects.toThrow('look at it again')
  expect((await fateOf(alice)).fate).toBe('approval_pending')
  await expect(from(host.origin, 'bob:finance')(yes)).resolves.toBeUndefined()
  await expect(from(host.origin, 'bob:finance')(yes)).rejects.toThrow('all the yeses')
  expect((await gate.store.get(ref))?.answers).toMatchObject([{ by: 'bob', channel: 'page', reason: 'as agreed' }])
  expect((await fateOf(alice)).fate).toBe('ran')
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
