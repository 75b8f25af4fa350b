import fc from 'fast-check'

// A mutant run asks only whether a property goes red, so it skips looking for the smallest counterexample, and always looks
// at the same examples: a mutant is not caught by luck.
if (process.env['HOLDPOINT_SHRINK'] === 'no') fc.configureGlobal({ endOnFailure: true, seed: 20_261_121 })
