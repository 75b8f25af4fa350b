/** How each fault of `matrix.json` is played: with real engines where a network is the matter, in process where it is not. */
import { readFileSync } from 'node:fs'
import type { PolicyOption } from '../../src/create-panel.ts'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import type { Clock, Gate, Json, PolicyDecisionPoint } from '../../src/types.ts'
import type { PolicyServiceOptions } from '../../src/wire/options.ts'
import { authzen, cerbos, opa } from '../../src/wire/points.ts'
import { retrievedPolicies } from '../../src/wire/retrieved.ts'
import { selfSigned } from '../support/certificate.ts'
import { type Engine, freePort, startCerbos, startOpa } from '../support/engines.ts'
import {
  corrupted,
  cut,
  doubled,
  halfOf,
  headOf,
  late,
  nearlyAllOf,
  type ProxyFault,
  sliced,
  startFaultProxy,
} from '../support/fault-proxy.ts'
import { startPermissiveServer } from '../support/permissive-server.ts'
import { FAULTS, type Kind } from '../support/raw-faults.ts'
import { startRawServer } from '../support/raw-server.ts'
import { DENY, handClock, PERMIT, scriptedPoint } from '../support/scripted-point.ts'

/** One call's surroundings. */
export interface Scene {
  readonly policy: PolicyOption
  /** The policy budget, ms. Default: so long that a busy machine makes nobody late. */
  readonly timeoutMs?: number
  readonly clock?: Clock
  readonly input?: Json
  /** The fault begins. The gate is ready by now, and its canaries have been asked. `call` makes another call of the same tool. */
  strike?(gate: Gate, call: () => Promise<unknown>): void | Promise<void>
  /** What still happens between a permit and its `begin`. */
  beforeBegin?(gate: Gate): void | Promise<void>
  end?(): Promise<void>
}

/** How one fault is played to a gate with this kind of policy point. */
export interface Play {
  /** Does the gate wait until its time is up? Then a machine that stands still makes another fault of it. */
  readonly lasts?: true
  /** Needs engines that run. */
  readonly engines?: true
  /** Why it cannot be played here. */
  readonly missing?: string
  scene(point: string, engines: Engines): Scene | Promise<Scene>
}

/** The engines that all scenes share. */
export interface Engines {
  readonly opa: Engine
  readonly cerbos: Engine
  /** Cerbos as it comes: a deny rule that errs is dropped. */
  readonly laxCerbos: Engine
  /** For the scenes that stop or kill a process. */
  readonly doomed: Readonly<Record<'opa' | 'cerbos', Engine>>
  stop(): Promise<void>
}

/** What is too long to wait for, on a machine with much else to do. */
const SHORT_MS = 500
const SANE: Json = { amount: 5 }
const DENIED: Json = { amount: 900 }
/** A number is compared with it. */
const POISON: Json = { amount: 'a lot' }

const shipped = (name: string): string => readFileSync(new URL(`../../policies/${name}`, import.meta.url), 'utf8')

const REGO = `package shop
import rego.v1

default decision := true
decision := false if to_number(input.context.arguments.amount) > 500
`
const CERBOS = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: tool
  version: default
  rules:
    - {actions: ["tools/call"], effect: EFFECT_ALLOW, roles: ["*"]}
    - actions: ["tools/call"]
      effect: EFFECT_DENY
      roles: ["*"]
      condition: {match: {expr: R.attr.context.arguments.amount > 500}}
`
const CEDAR = `@id("all") permit (principal, action, resource);
@id("cap") forbid (principal, action, resource)
when { context.arguments has amount && context.arguments.amount > 500 };
`
const OPA_FILES = { 'shop.rego': REGO, 'canary.rego': shipped('canary.rego') }
const CERBOS_FILES = { 'tool.yaml': CERBOS, 'canary.yaml': shipped('canary.cerbos.yaml') }

/** Starts the engines: each permits amounts up to 500, by a deny rule that errs on texts. */
export async function startEngines(): Promise<Engines> {
  const [shared, strict, lax, doomedOpa, doomedCerbos] = await Promise.all([
    startOpa(OPA_FILES),
    startCerbos(CERBOS_FILES),
    startCerbos(CERBOS_FILES, { strict: false }),
    startOpa(OPA_FILES),
    startCerbos(CERBOS_FILES),
  ])
  const all = [shared, strict, lax, doomedOpa, doomedCerbos]
  return {
    opa: shared,
    cerbos: strict,
    laxCerbos: lax,
    doomed: { opa: doomedOpa, cerbos: doomedCerbos },
    stop: async () => {
      await Promise.all(all.map((engine) => engine.stop()))
    },
  }
}

function cedar(): PolicyDecisionPoint {
  return createCedarPoint([{ path: 'matrix.cedar', text: CEDAR }])
}

const CLIENTS: Readonly<Record<Kind, (options: PolicyServiceOptions) => PolicyDecisionPoint>> = { authzen, cerbos, opa }

function kindOf(point: string): Kind {
  if (point === 'opa' || point === 'cerbos' || point === 'authzen') return point
  throw new Error(`${point} is no service`)
}

/** The client of a service that is at `base`. */
function clientAt(kind: Kind, base: string, options: Partial<PolicyServiceOptions> = {}): PolicyDecisionPoint {
  return CLIENTS[kind]({ ...options, url: kind === 'opa' ? `${base}/v1/data/shop/decision` : base })
}

function engineOf(point: string, engines: Engines): Engine {
  return point === 'cerbos' ? engines.cerbos : engines.opa
}

/** The real engine, or Cedar, without any fault: it is the call that differs. */
function whole(input: Json): Play {
  return {
    engines: true,
    scene: (point, engines) => ({
      input,
      policy: point === 'cedar' ? cedar() : clientAt(kindOf(point), engineOf(point, engines).url),
    }),
  }
}

/** A proxy of ours in front of the real engine. */
function proxied(fault: ProxyFault | 'refuse', lasts?: true): Play {
  return {
    engines: true,
    ...(lasts === undefined ? {} : { lasts }),
    async scene(point, engines) {
      const proxy = await startFaultProxy(engineOf(point, engines).port)
      return {
        policy: clientAt(kindOf(point), proxy.url),
        ...(lasts === undefined ? {} : { timeoutMs: SHORT_MS }),
        strike: () => (fault === 'refuse' ? proxy.stop() : proxy.play(fault)),
        end: () => proxy.stop(),
      }
    },
  }
}

/** A server of ours that answers byte by byte as `raw-faults.ts` says. */
function raw(name: string): Play {
  const fault = FAULTS[name]
  if (fault === undefined) throw new Error(`nobody knows how to play ${name}`)
  return {
    ...(fault.lasts === undefined ? {} : { lasts: true }),
    async scene(point) {
      const server = await startRawServer(kindOf(point))
      server.play(fault)
      return {
        policy: clientAt(kindOf(point), server.url, { canary: 'off' }),
        ...(fault.lasts === undefined ? {} : { timeoutMs: SHORT_MS }),
        end: () => server.stop(),
      }
    },
  }
}

/** The engine's own process is stopped, or killed. */
function processed(signal: 'SIGSTOP' | 'SIGKILL'): Play {
  const isStopped = signal === 'SIGSTOP'
  return {
    engines: true,
    ...(isStopped ? { lasts: true } : {}),
    scene(point, { doomed }) {
      const engine = doomed[point === 'cerbos' ? 'cerbos' : 'opa']
      return {
        policy: clientAt(kindOf(point), engine.url),
        ...(isStopped ? { timeoutMs: SHORT_MS } : {}),
        strike: () => (isStopped ? void process.kill(engine.pid, signal) : engine.stop()),
        end: async () => void (isStopped && process.kill(engine.pid, 'SIGCONT')),
      }
    },
  }
}

/** A point in this process, that answers as `answer` says; `advance` moves both clocks. */
function scripted(
  answer: (advance: (ms: number) => void) => unknown,
  clock: () => Clock & { advance(ms: number): void } = () => handClock(Date.now()),
): Play {
  return {
    scene() {
      const hands = clock()
      return { clock: hands, policy: scriptedPoint(() => answer((ms) => hands.advance(ms))) }
    },
  }
}

/** The wall clock jumps while the question is asked; the monotonic one does not. */
function wallClockSteps(stepMs: number): Play {
  return {
    scene() {
      let step = 0
      const clock: Clock = { now: () => Date.now() + step, monotonic: () => performance.now() }
      const policy = scriptedPoint(async () => {
        step = stepMs
        return PERMIT
      })
      return { clock, policy }
    },
  }
}

function away(): never {
  throw new AbsentAnswer('unavailable', 'connection refused')
}

/** Two points: what the first and the second say. Named after their kinds, `cedar+opa`. */
function both(second: { readonly input?: Json; readonly fault?: ProxyFault }): Play {
  return {
    engines: true,
    async scene(points, engines) {
      const [first = '', other = ''] = points.split('+')
      const proxy = await startFaultProxy(engineOf(other, engines).port)
      const one = first === 'cedar' ? cedarThatPermits() : clientAt(kindOf(first), engineOf(first, engines).url)
      return {
        policy: [one, clientAt(kindOf(other), proxy.url)],
        ...(second.input === undefined ? {} : { input: second.input }),
        strike: () => (second.fault === undefined ? undefined : proxy.play(second.fault)),
        end: () => proxy.stop(),
      }
    },
  }
}

function cedarThatPermits(): PolicyDecisionPoint {
  return createCedarPoint([{ path: 'all.cedar', text: '@id("all") permit (principal, action, resource);' }])
}

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
          retrieve: retrieveOnce(),
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
      scene() {
        let policyDigest = 'before'.padEnd(43, '0')
        const policy = {
          ...scriptedPoint(() => PERMIT),
          get policyDigest() {
            return policyDigest
          },
        }
        return {
          policy,
          beforeBegin: () => {
            policyDigest = 'after'.padEnd(43, '0')
          },
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
        ...(point === 'cedar'
          ? { policy: cedar() }
          : { policy: clientAt(kindOf(point), engineOf(point, engines).url) }),
        strike: (gate) => void gate.isolate(point, 'incident 7'),
      }),
    },
  ],
  [
    'an operator isolates the point after the permit, before the call begins',
    {
      engines: true,
      scene: (point, engines) => ({
        ...(point === 'cedar'
          ? { policy: cedar() }
          : { policy: clientAt(kindOf(point), engineOf(point, engines).url) }),
        beforeBegin: (gate) => void gate.isolate(point, 'incident 7'),
      }),
    },
  ],

  ['two points disagree', both({ input: DENIED })],
  ['one of two points is silent', both({ fault: RESET })],
  ['one of two points is silent, and the other denies', both({ input: DENIED, fault: RESET })],
  ['one of two points says nonsense', both({ fault: corrupted })],

  ...Object.keys(FAULTS).map((name): [string, Play] => [name, raw(name)]),
])

function retrieveOnce(): () => Promise<readonly { readonly path: string; readonly text: string }[]> {
  return async () => [{ path: 'matrix.cedar', text: CEDAR }]
}

/** As a long computation does. */
function standStill(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
