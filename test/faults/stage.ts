/** What faults are played with: real engines, a proxy in front of them, a server that breaks HTTP, and points in this process. */
import { readFileSync } from 'node:fs'
import type { PolicyOption } from '../../src/create-panel.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import type { Clock, Gate, Json, PolicyDecisionPoint } from '../../src/types.ts'
import type { PolicyServiceOptions } from '../../src/wire/options.ts'
import { authzen, cerbos, opa } from '../../src/wire/points.ts'
import { type Engine, halt, startCerbos, startOpa } from '../support/engines.ts'
import { type ProxyFault, startFaultProxy } from '../support/fault-proxy.ts'
import { FAULTS, type Kind } from '../support/raw-faults.ts'
import { startRawServer } from '../support/raw-server.ts'
import { handClock, PERMIT, scriptedPoint } from '../support/scripted-point.ts'

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
export const SHORT_MS = 500
export const SANE: Json = { amount: 5 }
export const DENIED: Json = { amount: 900 }
/** A number is compared with it. */
export const POISON: Json = { amount: 'a lot' }

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
export const CEDAR = `@id("all") permit (principal, action, resource);
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

export function kindOf(point: string): Kind {
  if (point === 'opa' || point === 'cerbos' || point === 'authzen') return point
  throw new Error(`${point} is no service`)
}

/** The client of a service that is at `base`. */
export function clientAt(kind: Kind, base: string, options: Partial<PolicyServiceOptions> = {}): PolicyDecisionPoint {
  return CLIENTS[kind]({ ...options, url: kind === 'opa' ? `${base}/v1/data/shop/decision` : base })
}

export function engineOf(point: string, engines: Engines): Engine {
  return point === 'cerbos' ? engines.cerbos : engines.opa
}

/** Cedar, or the client of the real engine. */
export function pointOf(point: string, engines: Engines): PolicyDecisionPoint {
  return point === 'cedar' ? cedar() : clientAt(kindOf(point), engineOf(point, engines).url)
}

/** The real engine, or Cedar, without any fault: it is the call that differs. */
export function whole(input: Json): Play {
  return {
    engines: true,
    scene: (point, engines) => ({ input, policy: pointOf(point, engines) }),
  }
}

/** A proxy of ours in front of the real engine. */
export function proxied(fault: ProxyFault | 'refuse', lasts?: true): Play {
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
export function raw(name: string): Play {
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
export function processed(signal: 'SIGSTOP' | 'SIGKILL'): Play {
  const isStopped = signal === 'SIGSTOP'
  return {
    engines: true,
    ...(isStopped ? { lasts: true } : {}),
    scene(point, { doomed }) {
      const engine = doomed[point === 'cerbos' ? 'cerbos' : 'opa']
      return {
        policy: clientAt(kindOf(point), engine.url),
        ...(isStopped ? { timeoutMs: SHORT_MS } : {}),
        strike: () => (isStopped ? halt(engine) : engine.stop()),
        end: async () => void (isStopped && process.kill(engine.pid, 'SIGCONT')),
      }
    },
  }
}

/** A point in this process, that answers as `answer` says; `advance` moves both clocks. */
export function scripted(
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
export function wallClockSteps(stepMs: number): Play {
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

/** Two points: what the first and the second say. Named after their kinds, `cedar+opa`. */
export function both(second: { readonly input?: Json; readonly fault?: ProxyFault }): Play {
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
