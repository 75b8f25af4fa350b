#!/usr/bin/env node
// Plain and old-fashioned on purpose: it must start on any Node to say which one is needed.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`holdpoint needs Node 22.13 or newer; this is ${process.versions.node}\n`)
  process.exitCode = 2
} else {
  import('../dist/src/cli/main.js').catch((error) => {
    if (process.argv[2] === 'hook') {
      // Whatever keeps a hook from starting keeps the tool from running.
      process.stderr.write(`holdpoint hook: ${error.message}; the tool must not run\n`)
      process.exit(2)
    }
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/dist.src.cli.main/.test(error.message)) throw error
    process.stderr.write('holdpoint is not built here; run: npm run build\n')
    process.exitCode = 2
  })
}
