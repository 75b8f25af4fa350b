/** How the approver's page looks: the system's fonts and colours, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --line: #767676; --no: #b3261e; --yes: #0b6b2e; --on: #ffffff }
@media (prefers-color-scheme: dark) { :root { --line: #8a8a8a; --no: #ff8a80; --yes: #7ddc9a; --on: #101010 } }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 52rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.4rem }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; direction: ltr; unicode-bidi: isolate; font: .95rem/1.45 ui-monospace, monospace }
label { display: block }
textarea { width: 100%; box-sizing: border-box; font: inherit; margin: .25rem 0 .75rem }
button { font: inherit; font-weight: 600; padding: .5rem 1rem; border: 2px solid; border-radius: .4rem; background: none; cursor: pointer }
button.yes { background: var(--yes); border-color: var(--yes); color: var(--on) }
button.plain { color: var(--yes); margin-left: .5rem }
button.no { color: var(--no); border-color: var(--no); margin-left: .5rem }
button:disabled { opacity: .6; cursor: default }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
`
