/** How the approver's page looks: the system's fonts and colours, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --text: #1c2024; --line: #767676; --no: #b3261e; --yes: #0b6b2e; --on: #ffffff }
@media (prefers-color-scheme: dark) { :root { --page: #101214; --card: #17191c; --text: #edeef0; --line: #8a8a8a; --no: #ff8a80; --yes: #7ddc9a; --on: #101010 } }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 44rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.4rem }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; direction: ltr; unicode-bidi: isolate; font: .95rem/1.45 ui-monospace, monospace }
pre { background: var(--page); border-radius: .4rem; padding: .75rem; margin: .5rem 0 1rem }
pre:empty { display: none }
pre > span { display: block }
pre > .argument { padding-inline-start: 2ch; text-indent: -2ch; font-weight: 600 }
label { display: block }
.controls { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .5rem }
.controls > :is(label, p) { flex-basis: 100%; margin: 0 }
textarea { width: 100%; background: var(--page); color: inherit; border: 1px solid var(--line); border-radius: .4rem; padding: .5rem; box-sizing: border-box; font: inherit; margin: .25rem 0 .75rem }
button { font: inherit; font-weight: 600; padding: .5rem 1rem; border: 2px solid; border-radius: .4rem; background: none; cursor: pointer }
button.yes { background: var(--yes); border-color: var(--yes); color: var(--on) }
button.plain { color: var(--yes) }
button.no { color: var(--no); border-color: var(--no) }
button:disabled { opacity: .6; cursor: default }
.outcome { margin: 0; font-weight: 600 }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
`
