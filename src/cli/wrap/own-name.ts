/** Our own names for a host's servers: what pins, policies and receipts call them. */
import { sha256Bytes } from '../../bytes/digest.ts'
import { DEFAULT_SERVER, isServerName } from '../../bytes/names.ts'

const LONGEST = 32
const MARK_LENGTH = 8

/**
 * Our name for a server of the host's. A name that is one by our rule stays as it is; any other becomes what can be kept of it and
 * a mark of the whole. It follows from that name alone, so that pins stay valid whatever else comes into the file.
 *
 * @param project empty, or whose server of that name it is
 */
export function ownServerName(name: string, project: string): string {
  // `local` is what one's own tools are called.
  if (isServerName(name) && name !== DEFAULT_SERVER && project === '') return name
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? ['server']
  const kept = words
    .join('-')
    .slice(0, LONGEST - MARK_LENGTH - 1)
    .replace(/-$/, '')
  const mark = Buffer.from(sha256Bytes(JSON.stringify([project, name]))).toString('hex')
  return `${kept}-${mark.slice(0, MARK_LENGTH)}`
}
