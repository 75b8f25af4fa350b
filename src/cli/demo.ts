/** `holdpoint demo`: half a minute with a real agent, a real server and a gate between them. */
import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import { type CommandContext, situationOf } from './context.ts'
import { gatherEvidence } from './demo/evidence.ts'
import { castModel } from './demo/model.ts'
import { loadPackages } from './demo/packages.ts'
import { createScratch } from './demo/scratch.ts'
import { playStory, type SceneTold } from './demo/story.ts'
import { commandFor, summaryOf } from './demo/summary.ts'
import { teller } from './demo/tell.ts'
import { createWorld } from './demo/world.ts'
import { trustedKeys } from './trust.ts'

/** Between two calls, so that a person can read along; nothing waits when nobody watches. */
const PACE_MS = 350

export function demoCommand(context: CommandContext): Command {
  return new Command('demo')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText(
      'after',
      '\nNeeds no key and no network. With OPENAI_API_KEY set, a real model plays the agent.\n\nExample:\n  holdpoint demo --json',
    )
    .action(async (flags: { json?: true }) => {
      const quiet = flags.json === true
      const packages = await loadPackages()
      const casting = await castModel(packages)
      context.terminal.progress('starting the filesystem server')
      const scratch = createScratch()
      const world = await createWorld(packages, scratch.base)
      const tell = teller(context.terminal, scratch.base, world.root)
      const pace = async (): Promise<void> => {
        if (context.terminal.interactive && !quiet) await pause(PACE_MS)
      }
      if (!quiet) tell.opening(casting.name)
      let scenes: readonly SceneTold[]
      try {
        scenes = await playStory(
          { packages, casting, world },
          {
            begin: async (scene) => {
              if (!quiet) tell.scene(scene.title)
              await pace()
            },
            end: async (told) => {
              for (const call of told.calls) {
                if (!quiet) tell.call(call)
                await pace()
              }
              if (!quiet) tell.sent(told)
            },
          },
        )
      } finally {
        await world.close()
      }
      // The demo signs with this machine's receipt key, as a gate without further configuration does.
      const trusted = trustedKeys(undefined, () => situationOf(false))
      const evidence = await gatherEvidence(scratch.base, trusted)
      if (quiet) context.terminal.out(JSON.stringify(summaryOf(scenes, evidence)))
      else {
        tell.closing(evidence, {
          why: commandFor('why --config', world.configFile),
          verify: commandFor('verify', evidence.path),
        })
      }
      scratch.keep()
      context.end(evidence.report.ok && !evidence.tampered.report.ok ? 0 : 1)
    })
}
