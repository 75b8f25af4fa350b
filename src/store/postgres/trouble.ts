import { systemCodeOf } from '../../bytes/system-code.ts'
import { HoldpointError } from '../../errors.ts'

/** What to do about what PostgreSQL, or the way to it, answers: by SQLSTATE, or by the operating system's code. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nobody listens at its address: is the server running there?'],
  ['ENOTFOUND', 'no machine has that name: look at the host of the connection string'],
  ['EAI_AGAIN', 'names cannot be looked up now'],
  ['EHOSTUNREACH', 'its machine cannot be reached from here'],
  ['ETIMEDOUT', 'its machine does not answer: look at the host, and at what stands between'],
  ['28P01', 'the password is wrong'],
  ['28000', 'the server lets this role in from nowhere: look at the role, and at pg_hba.conf'],
  ['3D000', 'there is no such database: look at the end of the connection string'],
  ['42501', 'the role may not do that: grant what docs/postgres.md lists under "Roles"'],
  ['42P01', 'there is no such table: nothing has been decided in this schema yet, or it is another schema'],
  ['3F000', 'there is no such schema: nothing has been decided in it yet, or it has another name'],
  ['53300', 'the server has no connection left: raise max_connections, or run fewer gates'],
  ['57P03', 'the server is starting or stopping'],
  ['25006', 'the server takes no writes: is it a standby?'],
])

/** Something that failed, as people are told it: what the other side said, and what to do where that is known. */
export function troubleOf(cause: unknown, place: string): HoldpointError {
  if (cause instanceof HoldpointError) return cause
  // What says that a connection string is none has it with it, and its password.
  if (systemCodeOf(cause) === 'ERR_INVALID_URL')
    return new HoldpointError(
      'ERR_STORE',
      'the connection string is none: postgres://USER:PASSWORD@HOST:5432/DATABASE',
      { at: place },
    )
  const said = cause instanceof Error && cause.message !== '' ? cause.message : systemCodeOf(cause)
  const advice = ADVICE.get(systemCodeOf(cause))
  const message = `the store failed: ${said}${advice === undefined ? '' : `; ${advice}`}`
  return new HoldpointError('ERR_STORE', message, { at: place, cause })
}
