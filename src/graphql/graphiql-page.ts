import { GRAPHIQL_SCRIPT } from './graphiql-script.js';

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d4d8dd, #3a4048); --soft: light-dark(#f4f6f8, #1c2025);
  --back: light-dark(#fff, #14171a); --text: light-dark(#1b1f24, #e4e7ea); --dim: light-dark(#626b75, #98a1ab);
  --blue: light-dark(#0b63ce, #6cb0ff); --red: light-dark(#b42318, #ff8f85); }
* { box-sizing: border-box; }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; background: var(--back); color: var(--text);
  font: 14px/1.45 system-ui, sans-serif; }
header { display: flex; gap: 8px; align-items: center; padding: 8px 12px; border-bottom: 1px solid var(--line); flex-wrap: wrap; }
h1 { font-size: 15px; margin: 0 8px 0 0; }
button, select, input { font: inherit; padding: 4px 12px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--soft); color: inherit; }
button { cursor: pointer; }
#run { background: var(--blue); border-color: var(--blue); color: var(--back); font-weight: 600; }
button:disabled { opacity: .45; cursor: default; }
#state { margin-left: auto; color: var(--dim); }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 5fr) minmax(0, 4fr); }
section { min-height: 0; display: flex; flex-direction: column; border-right: 1px solid var(--line); }
label, h2 { font-size: 12px; font-weight: 600; color: var(--dim); margin: 0; padding: 6px 12px; border-bottom: 1px solid var(--line);
  background: var(--soft); }
textarea, pre { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; margin: 0; padding: 10px 12px; border: 0; outline: none;
  background: transparent; color: inherit; tab-size: 2; }
textarea { resize: none; }
#query { flex: 3; } #variables { flex: 1; }
pre { flex: 1; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
#find { margin: 8px 12px; }
#schema { flex: 1; overflow: auto; padding: 0 12px 12px; }
details { margin: 2px 0; } summary { cursor: pointer; font-family: ui-monospace, monospace; font-size: 13px; }
dl { margin: 4px 0 8px 18px; } dt { font: 12px/1.5 ui-monospace, monospace; } dt b { color: var(--blue); font-weight: 600; }
dd { margin: 0 0 4px; color: var(--dim); font-size: 12px; }
.fault, #state.fault { color: var(--red); }
@media (max-width: 900px) { main { grid-template-columns: 1fr; overflow: auto; } section { min-height: 45vh; } }
`;

/** A page to try the API: it works without a network, so everything it needs is in it. */
export const GRAPHIQL_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fleet Twin GraphQL</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Fleet Twin GraphQL</h1>
<button id="run" title="Ctrl+Enter">Run</button>
<button id="stop" disabled>Stop</button>
<select id="examples" aria-label="Examples"><option value="">Examples…</option></select>
<input id="token" type="password" placeholder="Token or key" aria-label="Token or key" autocomplete="off">
<span id="state" role="status"></span>
</header>
<main>
<section><label for="query">Operation</label><textarea id="query" spellcheck="false"></textarea>
<label for="variables">Variables (JSON)</label><textarea id="variables" spellcheck="false"></textarea></section>
<section><h2>Answer</h2><pre id="answer" aria-live="polite"></pre></section>
<section><h2>Schema</h2><input id="find" placeholder="Find a type or a field" aria-label="Find a type or a field">
<div id="schema"></div></section>
</main>
<script>${GRAPHIQL_SCRIPT}</script>
</body>
</html>
`;
