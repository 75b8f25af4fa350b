/**
 * May this request change anything? Only from a page of the same origin.
 *
 * Browsers send `Origin` with every POST (Fetch Standard) and current ones `Sec-Fetch-Site`, and no page can set either. What lacks
 * an origin is refused: it is no browser's, or one that hides whose page it was.
 *
 * @param origins those of the operator; without, that of the request's own address
 */
export function mayPost(request: Request, origins: readonly string[] | undefined): boolean {
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  const own = origins ?? [new URL(request.url).origin]
  // Where the operator names other origins, those are other sites to the browser.
  const isOwnSite = site === null || site === 'same-origin' || origins !== undefined
  return origin !== null && origin !== 'null' && own.includes(origin) && isOwnSite
}

/** Does a browser say that another site asks? */
export function isFromElsewhere(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site')
  return site === 'cross-site' || site === 'same-site'
}
