import { isModern, takesTasks } from './era.ts'
import { keepNewest } from './keep-newest.ts'
import { RELATED_TASK_KEY } from './keys.ts'
import { isObject, type Message, objectIn } from './message.ts'
import { randomId } from './random.ts'
import type { Running } from './running.ts'

/** Refusals that wait to be fetched, and calls that run as tasks: what is beyond is forgotten, oldest first. */
const MOST_TASKS = 1_000
const KEPT_MS = 3_600_000

interface RefusedTask {
  readonly task: Message
  readonly result: Message
}

/**
 * Calls that were asked for as tasks (MCP 2025-11-25, tasks): the result is fetched later, by the task's id.
 *
 * A refused one is a *completed* task of ours whose result is the refusal: a failed one loses the text in every client, and a
 * plain result is none that a client waits for.
 */
export class Tasks {
  readonly #refused = new Map<string, RefusedTask>()
  readonly #running = new Map<string, Running>()

  /** What answers the call: a task that is done already. */
  refuse(result: Message, asked: Message): Message {
    const taskId = `holdpoint-${randomId()}`
    const at = new Date().toISOString()
    const ttl = Number.isSafeInteger(objectIn(asked, 'task')['ttl']) ? objectIn(asked, 'task')['ttl'] : KEPT_MS
    const task = { taskId, status: 'completed', createdAt: at, lastUpdatedAt: at, ttl }
    const meta = { ...objectIn(result, '_meta'), [RELATED_TASK_KEY]: { taskId } }
    keepNewest(this.#refused, taskId, { task, result: { ...result, _meta: meta } }, MOST_TASKS)
    return { task }
  }

  /** Is this a task of ours? Then the answer to whatever is asked about it; the server never heard of it. */
  answer(method: string, params: Message): Message | undefined {
    const refused = this.#refused.get(String(params['taskId']))
    if (refused === undefined) return undefined
    return method === 'tasks/result' ? refused.result : refused.task
  }

  /**
   * Does the server's answer say that a permitted call goes on as a task? Then its outcome comes later, and the answer passes
   * with the decision's receipt.
   *
   * @param asked what the call was asked for with
   */
  begin(running: Running, asked: Message, message: Message): Message | undefined {
    const { result } = message
    const taskId = isObject(result) ? taskOf(asked, result)['taskId'] : undefined
    if (typeof taskId !== 'string' || !isObject(result)) return undefined
    // Of a task whose name is given to another one nothing more will be heard.
    this.end(taskId)?.lost()
    keepNewest(this.#running, taskId, running, MOST_TASKS)?.lost()
    return { ...message, result: running.stamp(result) }
  }

  /** What the server says of a task, asked or unasked: one that failed or was cancelled has no result to come. */
  heard(said: Message): void {
    const task = isObject(said['task']) ? said['task'] : said
    const { taskId, status, result } = task
    if (status === 'failed') this.end(taskId)?.failed(task)
    if (status === 'cancelled') this.end(taskId)?.cancelled()
    // The tasks extension brings the result along.
    if (status === 'completed' && isObject(result)) this.end(taskId)?.answered({ result })
  }

  /** The task has come to its end, whatever that was: the call that ran as it. */
  end(taskId: unknown): Running | undefined {
    if (typeof taskId !== 'string') return undefined
    const running = this.#running.get(taskId)
    this.#running.delete(taskId)
    return running
  }

  /** Nobody will ever hear how they ended. */
  close(): void {
    for (const running of this.#running.values()) running.lost()
    this.#running.clear()
  }
}

/**
 * By `task`, where the caller asked for one (2025-11-25), or by what the result says of itself, where the caller takes that (the
 * tasks extension of 2026-07-28). Any other answer is the call's own result: a server does not put off how it ended.
 */
function taskOf(asked: Message, result: Message): Message {
  if (takesTasks(asked)) return result['resultType'] === 'task' ? result : {}
  return !isModern(asked) && isObject(asked['task']) ? objectIn(result, 'task') : {}
}
