import { shown } from '../bytes/shown.ts'

/** The longest actual value that a refusal shows, in characters. */
export const LONGEST_ACTUAL = 64

/** How much of a value is looked at: what is beyond never reaches a reader. */
const LOOKED_AT = 4_096

const SECRET_NAME =
  /pass(?:word|wd|phrase)?$|secret|token|api[-_]?key|auth(?:orization)?$|credential|private[-_]?key|cookie/i

/** Shapes that keys and tokens have. Each is linear: the value is a model's. */
const SECRET_SHAPES: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{1,40}-----[\s\S]*/g,
  /\beyJ[\w-]{4,}\.[\w-]*(?:\.[\w-]*)?/g,
  /\b(?:sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abprs]|AKIA|ASIA|AIza|npm|hf|shp[a-z]{2})[-_]?[\w-]{12,}/g,
  /\b(?:bearer|basic)\s+[\w.~+/=-]{8,}/gi,
  // Also inside JSON, and inside JSON in a text of JSON.
  /(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|authorization|credential|private[-_]?key|cookie)[\\"']{0,4}\s{0,4}[=:]\s{0,4}(?:\\?"[^"]*"?|'[^']*'?|[^\s,;&"'}]+)/gi,
  /:\/\/[^\s/@]{1,256}@/g,
]

/** A run that only a generator writes: long, without spaces, letters and digits mixed. */
const LONG_RUN = /[\w+/=-]{24,}/g
/** With slashes it may as well be a path, unless it is as long as AWS makes its secrets. */
const AWS_SECRET = /^(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9+/]{40}$/
const MASK = '[masked]'

/**
 * A value as a refusal may show it: secret-shaped parts masked, characters that could disturb or deceive a reader made
 * visible, at most {@link LONGEST_ACTUAL} characters (I9).
 *
 * @param path JSON Pointer of the argument: what stands in one that is named like a secret is never shown
 */
export function maskActual(text: string, path: string): string {
  // UNTRUSTED: the value is a model's, and a reader may be a terminal.
  if (path.split('/').some((name) => SECRET_NAME.test(name))) return MASK
  let masked = text.slice(0, LOOKED_AT)
  for (const shape of SECRET_SHAPES) masked = masked.replaceAll(shape, MASK)
  masked = masked.replaceAll(LONG_RUN, (run) => (isGenerated(run) ? MASK : run))
  return shown(masked, LONGEST_ACTUAL)
}

function isGenerated(run: string): boolean {
  if (!/\d/.test(run) || !/[A-Za-z]/.test(run)) return false
  return !run.includes('/') || AWS_SECRET.test(run)
}
