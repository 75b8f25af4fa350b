import type { Admission, Gate, PermittedAdmission } from '../../../src/index.ts'

/** A gate, and what it has yet to write. */
export interface Watched {
  readonly gate: Gate
  /** Every call that was settled so far has its outcome on record. */
  recorded(): Promise<void>
}

/** The same gate, watched: an MCP client has its answer some milliseconds before its call's outcome is on record. */
export function watched(gate: Gate): Watched {
  const settling: Promise<unknown>[] = []
  const follow = (admission: PermittedAdmission): PermittedAdmission =>
    like(admission, 'settle', (...given: Parameters<PermittedAdmission['settle']>) => {
      const done = admission.settle(...given)
      settling.push(done)
      return done
    })
  const admit = async (...given: Parameters<Gate['admit']>): Promise<Admission> => {
    const admission = await gate.admit(...given)
    return admission.outcome === 'permitted' ? follow(admission) : admission
  }
  return { gate: like(gate, 'admit', admit), recorded: async () => void (await Promise.all(settling)) }
}

/** The same object but for one of its methods. */
function like<T extends object>(whole: T, name: keyof T, method: unknown): T {
  return new Proxy(whole, {
    get: (target, member) => {
      if (member === name) return method
      const value: unknown = Reflect.get(target, member, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
