import type { NextConfig } from 'next'

/** holdpoint opens a worker thread and a wasm file beside its own code, so it must not be bundled. */
const config: NextConfig = { serverExternalPackages: ['holdpoint'] }

export default config
