/** Of the report's page: readable on white and on black, and at any width from 1,000 pixels down. */
export const PAGE_STYLE = `
:root { --paper: #fff; --ink: #1b1f24; --soft: #57606a; --rule: #d0d7de; --stripe: #f6f8fa;
  --c0: #0550ae; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; --c4: #9a6700; --c5: #bf3989; --healthy: #1a7f37; --failed: #cf222e; --heat: 9, 105, 218; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --soft: #9aa4af; --rule: #30363d; --stripe: #161b22;
    --c0: #79c0ff; --c1: #ffa657; --c2: #56d364; --c3: #d2a8ff; --c4: #e3b341; --c5: #ff9bce; --healthy: #56d364; --failed: #ff7b72; --heat: 56, 139, 253; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 36px 0 8px; }
p { max-width: 80ch; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 9px; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--stripe); }
.met { color: var(--healthy); }
.missed { color: var(--failed); font-weight: 700; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); gap: 12px 20px; }
figure { margin: 0; }
figcaption { font-size: 13px; color: var(--soft); padding-left: 12px; }
figcaption b { color: var(--ink); }
svg { width: 100%; height: auto; display: block; }
svg text { font: 10px system-ui, sans-serif; fill: var(--soft); }
.grid { stroke: var(--rule); stroke-width: 0.6; }
.line { fill: none; stroke-width: 1.8; }
.dashed { stroke-dasharray: 5 3; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); }
.c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
.healthy { fill: var(--healthy); fill-opacity: 0.25; stroke: var(--healthy); background: var(--healthy); }
.failed { fill: var(--failed); fill-opacity: 0.25; stroke: var(--failed); background: var(--failed); }
.limit { stroke: var(--ink); stroke-dasharray: 2 2; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; }
.key { display: inline-block; width: 22px; height: 4px; margin-right: 6px; vertical-align: middle; }
.k0 { background: var(--c0); } .k1 { background: var(--c1); } .k2 { background: var(--c2); } .k3 { background: var(--c3); }
.k4 { background: var(--c4); } .k5 { background: var(--c5); }
.matrix td { text-align: right; background: rgba(var(--heat), calc(0.05 + 0.45 * var(--share, 0))); }
.matrix td:empty { background: none; }
.matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
`;
