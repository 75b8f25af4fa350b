/** How each fault of `matrix.json` is played: through a network where that is the matter, in process where it is not. */
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { cerbos } from '../../src/wire/points.ts'
import { retrievedPolicies } from '../../src/wire/retrieved.ts'
import { selfSigned } from '../support/certificate.ts'
import { freePort } from '../support/engines.ts'
import {
  corrupted,
  cut,
  doubled,
  halfOf,
  headOf,
  late,
  nearlyAllOf,
  sliced,
  startFaultProxy,
} from '../support/fault-proxy.ts'
import { startPermissiveServer } from '../support/permissive-server.ts'
import { FAULTS } from '../support/raw-faults.ts'
import { DENY, handClock, PERMIT, scriptedPoint } from '../support/scripted-point.ts'
import {
  both,
  CEDAR,
  clientAt,
  DENIED,
  engineOf,
  kindOf,
  type Play,
  POISON,
  pointOf,
  processed,
  proxied,
  raw,
  SANE,
  SHORT_MS,
  scripted,
  wallClockSteps,
  whole,
} from './stage.ts'

const tls = selfSigned()
const RESET = cut(() => 0, 'reset')
const NEVER = new Promise<never>(() => undefined)

/** Every fault by its name in `matrix.json`. */
export const PLAYS: ReadonlyMap<string, Play> = new Map<string, Play>([
  ['the policy permits', whole(SANE)],
  ['the policy denies', whole(DENIED)],

  ['the service is slow, and in time', proxied(late(50))],
  ['the service answers after the time is up', proxied(late(SHORT_MS * 20), true)],
  ['the answer comes a few bytes at a time', proxied(sliced(50, 4), true)],
  ['the service takes the question and says nothing', proxied(() => undefined, true)],
  ['the reply stops after its headers', proxied(cut(headOf, 'stall'), true)],
  ['the reply stops before its last byte', proxied(cut(nearlyAllOf, 'stall'), true)],
  ["the service's process is stopped", processed('SIGSTOP')],
  ["the service's process is killed", processed('SIGKILL')],
  ['the connection is refused', proxied('refuse')],
  ['the connection is reset', proxied(RESET)],
  ['the connection is closed without a word', proxied(cut(() => 0, 'end'))],
  ['the connection is closed in the middle of the reply', proxied(cut(halfOf, 'end'))],
  ['the connection is reset in the middle of the reply', proxied(cut(halfOf, 'reset'))],
  ['the reply is corrupted on its way', proxied(corrupted)],
  ['the reply comes twice', proxied(doubled)],

  [
    'the name does not resolve',
    { scene: (point) => ({ policy: clientAt(kindOf(point), 'https://pdp.invalid', { canary: 'off' }) }) },
  ],
  [
    'nobody vouches for the certificate',
    {
      ...(tls === undefined ? { missing: 'there is no openssl' } : {}),
      async scene(point) {
        const server = await startPermissiveServer(tls)
        const policy = clientAt(kindOf(point), `https://localhost:${server.port}`, { canary: 'off' })
        return { policy, end: () => server.stop() }
      },
    },
  ],
  [
    'the address says https, and the service speaks http',
    {
      async scene(point) {
        const server = await startPermissiveServer()
        const policy = clientAt(kindOf(point), `https://localhost:${server.port}`, { canary: 'off' })
        return { policy, end: () => server.stop() }
      },
    },
  ],
  [
    'the address has a typo in its port',
    {
      scene: async (point) => ({
        policy: clientAt(kindOf(point), `http://127.0.0.1:${await freePort()}`, { canary: 'off' }),
      }),
    },
  ],

  ['the arguments make a rule err', whole(POISON)],
  ['the arguments make a rule err, and the engine denies for it', whole(POISON)],
  [
    'the engine drops a deny rule that errs',
    {
      engines: true,
      async scene(point, engines) {
        if (point === 'cerbos') return { policy: cerbos({ url: engines.laxCerbos.url }) }
        // Something on the way takes our parameter away.
        const meddle = (bytes: Buffer): Buffer =>
          Buffer.from(bytes.toString('latin1').replace('strict-builtin-errors', 'xtrict-builtin-errors'), 'latin1')
        const proxy = await startFaultProxy(engines.opa.port, meddle)
        return { policy: clientAt('opa', proxy.url), end: () => proxy.stop() }
      },
    },
  ],
  [
    'the policies are older than they may be',
    {
      async scene() {
        const clock = handClock(Date.now())
        const policy = await retrievedPolicies({
          retrieve: async () => [{ path: 'matrix.cedar', text: CEDAR }],
          accept: () => true,
          everyMs: 60_000,
          maxPolicyAgeMs: 60_000,
          signal: AbortSignal.timeout(30_000),
          clock,
        })
        return { policy, clock, strike: () => clock.advance(60_001) }
      },
    },
  ],
  [
    'the policies change after the permit, before the call begins',
    {
      async scene() {
        let text = CEDAR
        const ended = new AbortController()
        const policy = await retrievedPolicies({
          retrieve: async () => [{ path: 'matrix.cedar', text }],
          accept: () => true,
          everyMs: 20,
          maxPolicyAgeMs: 3_600_000,
          signal: ended.signal,
        })
        const before = policy.policyDigest
        return {
          policy,
          beforeBegin: async () => {
            text = CEDAR.replace('500', '400')
            while (policy.policyDigest === before) await new Promise((resolve) => setTimeout(resolve, 5))
          },
          end: async () => ended.abort(),
        }
      },
    },
  ],
  [
    'the rule says nothing about the call',
    scripted(() => ({ ...DENY, kind: 'silence', cause: { kind: 'no_permit' } })),
  ],
  [
    'a point of your own throws',
    scripted(() => {
      throw new TypeError('undefined is not a function')
    }),
  ],
  ['a point of your own says nonsense', scripted(() => 'PERMIT')],

  [
    'a permit is read after the time was up: the process stood still, or the machine slept',
    scripted(async (advance) => {
      await Promise.resolve()
      advance(60_000)
      return PERMIT
    }),
  ],
  [
    'a deny is read after the time was up',
    scripted(async (advance) => {
      await Promise.resolve()
      advance(60_000)
      return DENY
    }),
  ],
  [
    'a deny comes after the time was up, before the call begins',
    {
      lasts: true,
      scene() {
        let answer = (_: unknown): void => undefined
        const policy = scriptedPoint(() => new Promise((resolve) => (answer = resolve)))
        return {
          policy,
          timeoutMs: SHORT_MS,
          beforeBegin: async () => {
            answer(DENY)
            await new Promise((resolve) => setTimeout(resolve, 5))
          },
        }
      },
    },
  ],
  [
    'the event loop stands still for longer than the budget',
    {
      scene: () => ({
        policy: scriptedPoint(() => {
          setTimeout(() => standStill(600), 10)
          return NEVER
        }),
        timeoutMs: 200,
      }),
    },
  ],
  ['the wall clock jumps an hour ahead', wallClockSteps(3_600_000)],
  ['the wall clock jumps an hour back', wallClockSteps(-3_600_000)],

  [
    'the breaker is open',
    {
      engines: true,
      async scene(point, engines) {
        const proxy = await startFaultProxy(engineOf(point, engines).port)
        return {
          policy: clientAt(kindOf(point), proxy.url),
          strike: async (_, call) => {
            proxy.play(RESET)
            await call()
            proxy.play((reply, client) => client.write(reply))
          },
          end: () => proxy.stop(),
        }
      },
    },
  ],
  [
    'the breaker is half open, and every probe is taken',
    {
      scene() {
        const clock = handClock(Date.now())
        let isAway = true
        let answer = (_: unknown): void => undefined
        return {
          clock,
          policy: scriptedPoint(() => (isAway ? away() : new Promise((resolve) => (answer = resolve)))),
          strike: async (_, call) => {
            await call()
            isAway = false
            clock.advance(60_000)
            void call()
            await new Promise((resolve) => setTimeout(resolve, 5))
          },
          end: async () => answer(DENY),
        }
      },
    },
  ],
  [
    'an operator has isolated the point',
    {
      engines: true,
      scene: (point, engines) => ({
        policy: pointOf(point, engines),
        strike: (gate) => void gate.isolate(point, 'incident 7'),
      }),
    },
  ],
  [
    'an operator isolates the point after the permit, before the call begins',
    {
      engines: true,
      scene: (point, engines) => ({
        policy: pointOf(point, engines),
        beforeBegin: (gate) => void gate.isolate(point, 'incident 7'),
      }),
    },
  ],

  ['two points disagree', both({ input: DENIED })],
  ['one of two points is silent', both({ fault: RESET })],
  // Here nothing is ever said: a reset that is tried again might be counted before the other's deny is there.
  ['one of two points is silent, and the other denies', both({ input: DENIED, fault: () => undefined })],
  ['one of two points says nonsense', both({ fault: corrupted })],

  ...Object.keys(FAULTS).map((name): [string, Play] => [name, raw(name)]),
])

/** As a long computation does. */
function standStill(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

function away(): never {
  throw new AbsentAnswer('unavailable', 'connection refused')
}
