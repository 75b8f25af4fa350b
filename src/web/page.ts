/** The approver's page: all of it in one document, with nothing from elsewhere. */

import { SCRIPT } from './page-script.ts'
import { STYLE } from './page-style.ts'

/**
 * The page. It holds no data of anybody: its script fetches them, and draws all of it as text.
 *
 * @param nonce of the content security policy, for this response alone
 */
export function approverPage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Approvals</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<h1>What waits for a person</h1>
<p id="status" role="status" aria-live="polite">Looking…</p>
<div id="requests"></div>
<noscript><p>This page needs JavaScript. Without it, answer in the app.</p></noscript>
</main>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`
}
