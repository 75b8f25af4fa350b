import { randomUUID } from 'node:crypto'
import {
  type CallToolResult,
  type InputRequest,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { declaredIn } from './parts.ts'

/** The extension's name (SEP-2663), as both sides declare it. */
export const TASKS = 'io.modelcontextprotocol/tasks'

/** How long a task can be asked for, and how often a client should, in ms. */
const TTL_MS = 60_000
const POLL_MS = 100

/** What a job sees of the task that it runs as. */
export interface TaskAtWork {
  /** Aborted once the client cancels. */
  readonly signal: AbortSignal
  /** Waits until the client has answered every request, by its key. */
  ask(requests: Readonly<Record<string, InputRequest>>): Promise<ReadonlyMap<string, unknown>>
}

type Status = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'

/** The tasks of this process: over HTTP, no connection outlives a request, and tasks must. */
const tasks = new Map<string, Task>()

/** Does this request allow its call to become a task? */
export function allowsTasks({ mcpReq }: ServerContext): boolean {
  return declaredIn(mcpReq.envelope)?.extensions?.[TASKS] !== undefined
}

/** Begins a task. The result says where to ask for it; the SDK knows no type for it. */
export function startTask(job: (task: TaskAtWork) => Promise<CallToolResult>): CallToolResult {
  const task = new Task()
  tasks.set(task.id, task)
  void task.run(job)
  return { resultType: 'task', ...task.summary() } as unknown as CallToolResult
}

/** What a client may ask of its tasks. */
export function registerTasks({ server }: McpServer): void {
  const answer = (method: string, reply: (task: Task, answers: Readonly<Record<string, unknown>>) => object): void => {
    server.setRequestHandler(method, { params: z.looseObject({ taskId: z.string() }) }, ({ taskId }, context) => {
      if (!allowsTasks(context)) {
        throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } })
      }
      const task = tasks.get(taskId)
      if (task === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such task')
      return { ...reply(task, context.mcpReq.inputResponses ?? {}) }
    })
  }
  answer('tasks/get', (task) => task.details())
  answer('tasks/update', (task, answers) => task.hear(answers))
  answer('tasks/cancel', (task) => task.cancel())
}

class Task implements TaskAtWork {
  readonly id = randomUUID()
  readonly #abort = new AbortController()
  readonly #createdAt = new Date().toISOString()
  #lastUpdatedAt = this.#createdAt
  #status: Status = 'working'
  /** What the end looks like to the client: `result` or `error`. */
  #ending: object = {}
  #questions = new Map<string, InputRequest>()
  #answers = new Map<string, unknown>()
  #answered: (() => void) | undefined

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  async run(job: (task: TaskAtWork) => Promise<CallToolResult>): Promise<void> {
    try {
      const result = await job(this)
      this.#end('completed', { result: { ...result, resultType: 'complete' } })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#end('failed', { error: { code: ProtocolErrorCode.InternalError, message } })
    }
  }

  async ask(requests: Readonly<Record<string, InputRequest>>): Promise<ReadonlyMap<string, unknown>> {
    this.#questions = new Map(Object.entries(requests))
    this.#turn('input_required')
    await new Promise<void>((resolve) => {
      this.#answered = resolve
    })
    return this.#answers
  }

  hear(answers: Readonly<Record<string, unknown>>): object {
    for (const [key, answer] of Object.entries(answers)) {
      if (this.#questions.delete(key)) this.#answers.set(key, answer)
    }
    if (this.#status === 'input_required' && this.#questions.size === 0) {
      this.#turn('working')
      this.#answered?.()
    }
    return {}
  }

  cancel(): object {
    this.#end('cancelled', {})
    this.#abort.abort()
    return {}
  }

  summary(): object {
    return {
      taskId: this.id,
      status: this.#status,
      createdAt: this.#createdAt,
      lastUpdatedAt: this.#lastUpdatedAt,
      ttlMs: TTL_MS,
      pollIntervalMs: POLL_MS,
    }
  }

  details(): object {
    const waiting = this.#status === 'input_required' ? { inputRequests: Object.fromEntries(this.#questions) } : {}
    return { ...this.summary(), ...waiting, ...this.#ending }
  }

  /** The first end counts: what a cancelled job still returns is nobody's. */
  #end(status: Status, ending: object): void {
    if (this.#status !== 'working' && this.#status !== 'input_required') return
    this.#ending = ending
    this.#turn(status)
  }

  #turn(status: Status): void {
    this.#status = status
    this.#lastUpdatedAt = new Date().toISOString()
  }
}
