/** Steps that a pattern may take for each character of a text; */
const MOST_STEPS_EACH = 256
/** and in all, where they do not grow with the text. */
const MOST_STEPS = 16_384
const LONGEST_PATTERN = 1_024

/** One piece of a regular expression: a reference back, another escape, a class, a bracket, a repetition, or a character. */
const TOKEN = /\\[1-9k]|\\.|\[(?:\\.|[^\\\]])*\]|\(\?(?::|<[A-Za-z]\w*>)?|[*+?]|\{\d+(?:,\d*)?\}|./gsu

/**
 * Is this regular expression sure to be done in time linear in the text, on an engine that backtracks?
 *
 * It is when at most one piece may take text of any length, and that one at a fixed place, since the pattern opens with
 * `^`; when no group repeats; and when the ways through what it may choose, times what each way holds, are few. This is
 * narrow on purpose: nobody has to trust an analysis of what two repetitions have in common. No look-around and no
 * reference back are among what is judged.
 */
export function isSteady(pattern: string): boolean {
  return patternCost(pattern) !== undefined
}

/** The steps that a steady pattern may take, `undefined` for one that is not. */
export function patternCost(pattern: string): { readonly once: number; readonly perCharacter: number } | undefined {
  if (pattern.length > LONGEST_PATTERN) return undefined
  const choices = [0]
  let [ways, length, loops, afterGroup, afterRepetition, anchored] = [1, 0, 0, false, false, pattern.startsWith('^')]
  for (const [token] of pattern.matchAll(TOKEN)) {
    const repetition = repetitionOf(token)
    if (repetition !== undefined && !(afterRepetition && token === '?')) {
      if (afterGroup) return undefined
      if (repetition === 'any') loops += 1
      else if (repetition === 'maybe') ways *= 2
      else length += repetition
    } else if (token === '(?' || /^\\[1-9k]/.test(token)) {
      return undefined
    } else if (token.startsWith('(')) {
      choices.push(0)
    } else if (token === '|') {
      choices.push((choices.pop() ?? 0) + 1)
      if (choices.length === 1) anchored = false
    } else if (token === ')') {
      ways *= (choices.pop() ?? 0) + 1
    }
    length += 1
    afterGroup = token === ')'
    afterRepetition = repetition !== undefined
  }
  const steps = choices.reduce((product, others) => product * (others + 1), ways) * length
  if (loops === 0 && anchored) return steps <= MOST_STEPS ? { once: steps, perCharacter: 0 } : undefined
  const isLinear = steps <= MOST_STEPS_EACH && (loops === 0 || (loops === 1 && anchored))
  return isLinear ? { once: 0, perCharacter: steps } : undefined
}

/** How often the piece before may come: any number of times, once or not at all, or exactly as often as said. */
function repetitionOf(token: string): 'any' | 'maybe' | number | undefined {
  if (token === '?') return 'maybe'
  if (token === '*' || token === '+') return 'any'
  if (token.length < 3 || !token.startsWith('{')) return undefined
  return token.includes(',') ? 'any' : Number(token.slice(1, -1))
}
