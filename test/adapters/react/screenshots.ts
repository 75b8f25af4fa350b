import { join } from 'node:path'
import type { Gallery } from './gallery.ts'
import type { States } from './states.ts'

/** The pictures of the docs: each state of a call, of an answer and of a receipt once, some dark, one on a narrow screen. */
export async function takeScreenshots({ page, show }: Gallery, states: States, folder: string): Promise<void> {
  const { trustedKeys, messages } = states
  const take = async (name: string, width = 608): Promise<void> => {
    const bottom = "Math.ceil(document.querySelector('#root').getBoundingClientRect().bottom + scrollY) + 8"
    await page.setViewportSize({ width, height: 80 })
    await page.evaluate('scrollTo(0, 0)')
    await page.setViewportSize({ width, height: await page.evaluate<number>(bottom) })
    await page.screenshot({ path: join(folder, `${name}.png`) })
  }
  const verify = async (state: string): Promise<void> => {
    await page.click('.hp-receipt button')
    await page.waitForSelector(`.hp-receipt[data-state=${state}]`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
  for (const [name, shown] of Object.entries(messages)) {
    await show({ messages: shown, trustedKeys })
    if (name === 'forged') await verify('failed')
    await take(name)
  }
  await show({ messages: messages.ran })
  await verify('not_established')
  await take('not-established')
  for (const [answering, state] of [
    ['never', 'sending'],
    ['at once', 'sent'],
    ['fails', 'failed'],
  ] as const) {
    await show({ messages: messages.asking, trustedKeys, answering })
    await page.click('.hp-approve')
    await page.waitForSelector(`.hp-said[data-state=${state}]`)
    await take(`answer-${state}`)
  }
  await show({ messages: messages.refused, trustedKeys })
  await verify('verified')
  await page.click('summary')
  await take('verified')
  await page.emulateMedia({ colorScheme: 'dark' })
  await take('verified-dark')
  await show({ messages: messages['asking-again'], trustedKeys })
  await take('asking-narrow-dark', 340)
  await page.emulateMedia({ colorScheme: 'light' })
  const { refused, asking, ran, changed, 'failed-open': open, 'unknown-version': unknown } = messages
  await show({ messages: [ran, changed, open, refused, asking, unknown].flat(), trustedKeys, timeline: true })
  await page.click('.hp-timeline-foot button')
  await page.waitForSelector('.hp-check[data-state=verified]')
  await take('timeline')
}
