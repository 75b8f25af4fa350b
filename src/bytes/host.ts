/** DNS has no longer name, and few hosts have a tenth of the labels. */
const LONGEST_HOST = 253
const MOST_LABELS = 64

/** The WHATWG reading of a bare host name (lower case, punycode, numeric hosts as dotted quads), or `undefined`. */
export function hostOf(name: string): string | undefined {
  const url = /[/?#@:%\\\s]/.test(name) ? undefined : (URL.parse(`http://${name}/`) ?? undefined)
  const host = url === undefined ? undefined : withoutRootDot(url.hostname)
  return host !== undefined && fitsDns(host) ? host : undefined
}

/** Is this no longer than DNS allows? */
export function fitsDns(host: string): boolean {
  return host.length <= LONGEST_HOST && host.split('.').length <= MOST_LABELS
}

/** `example.com.` is `example.com`. */
export function withoutRootDot(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host
}
