import fc from 'fast-check'

// A mutant run asks only whether a property goes red, so it skips looking for the smallest counterexample.
if (process.env['HOLDPOINT_SHRINK'] === 'no') fc.configureGlobal({ endOnFailure: true })
