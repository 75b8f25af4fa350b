const LONGEST_PLACE = 4_096

/** Where cloud machines hand out their own credentials, as the URL standard writes hosts. */
const METADATA_HOSTS = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '[fd00:ec2::254]',
  '[::ffff:a9fe:a9fe]',
  'metadata.google.internal',
])
const ADDRESS = /^(?:[a-z][a-z0-9+.-]*:[/\\]|https?:)/i
/** A host without a scheme that could be one of these. */
const BARE_HOST = /^(?:[0-9.]+|0x[0-9a-f.x]+|\[[0-9a-f:.]+\]|metadata\.[a-z.]+)(?:[:/?#]|$)/i

/** Where people and machines keep keys, in any path. */
const SECRET_PLACE =
  /(?:^|[/\\])(?:\.ssh|\.aws|\.gnupg|\.kube|\.docker|\.netrc|\.npmrc|\.pypirc|\.pgpass|\.git-credentials|\.env|id_(?:rsa|dsa|ecdsa|ed25519)|etc[/\\][./\\]{0,99}shadow|proc[/\\]\w{1,20}[/\\]environ)(?:$|[/\\.])/i

/** Is this text the address of a cloud machine's own credentials, however its host is written? */
export function isMetadataAddress(text: string): boolean {
  if (text.length > LONGEST_PLACE) return false
  const address = text.trim()
  const url = ADDRESS.test(address) ? address : BARE_HOST.test(address) ? `http://${address}` : undefined
  return url !== undefined && METADATA_HOSTS.has(URL.parse(url)?.hostname.replace(/\.$/, '') ?? '')
}

/** Is this text a path to where keys are kept? A text of several lines is a document, and no path. */
export function isSecretPlace(text: string): boolean {
  if (text.length > LONGEST_PLACE) return false
  const path = text.trim()
  return !path.includes('\n') && SECRET_PLACE.test(path)
}

const MOST_ADDRESS_DATA = 512
const LONGEST_ADDRESS_VALUE = 160

/**
 * Does this address carry so much that it sends something away: a user or a password, a long query, a line break?
 * Searches and filters are shorter.
 */
export function carriesData(text: string): boolean {
  const address = text.trim()
  if (!ADDRESS.test(address)) return false
  const query = address.search(/[?#]/)
  if (query !== -1 && address.length - query > MOST_ADDRESS_DATA) return true
  if (address.length > LONGEST_PLACE) return true
  const url = URL.parse(address)
  if (url === null) return false
  if (url.password !== '') return true
  return [...url.searchParams.values()].some((value) => value.length > LONGEST_ADDRESS_VALUE || /[\r\n]/.test(value))
}
