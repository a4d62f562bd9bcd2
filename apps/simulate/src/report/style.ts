import { html } from './html.ts';

/** Style sheet of the report: the pages' green, calm, readable on a phone, on paper and in the dark. */
export const style = html`
:root {
  color-scheme: light dark;
  --ground: #f7f5ef; --raised: #fffdf8; --line: #d9d5c8; --ink: #1d2420; --quiet: #4d574f;
  --accent: #1f6b46; --second: #c98a1b; --focus: #0a58ca;
  --sans: "Inter", "Source Sans 3", "Segoe UI", "Helvetica Neue", system-ui, sans-serif;
  --serif: "Iowan Old Style", "Source Serif 4", "Palatino Linotype", "Book Antiqua", Georgia, serif;
  --mono: "SF Mono", "JetBrains Mono", "Cascadia Mono", "DejaVu Sans Mono", Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131714; --raised: #1a1f1b; --line: #323b35; --ink: #e9ece6; --quiet: #b7c0b8;
    --accent: #7cc79c; --second: #eebb6c; --focus: #8ab4ff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 68rem; padding: 2.5rem clamp(1rem, 4vw, 2.5rem) 4rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.55 var(--sans);
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
header p { margin: 0; color: var(--quiet); }
h1, h2, h3 { font-family: var(--serif); font-weight: 600; line-height: 1.25; letter-spacing: -.005em; }
h1 { margin: .4rem 0 .6rem; max-width: 30em; font-size: clamp(1.5rem, 1.1rem + 2vw, 2.3rem); text-wrap: balance; }
h2 { margin: 3rem 0 1rem; font-size: 1.44rem; }
h3 { margin: 0; font-size: 1.1rem; }
.facts { display: flex; flex-wrap: wrap; gap: 1px; margin: 2rem 0 0; padding: 0; border: 1px solid var(--line); border-radius: 10px; background: var(--line); overflow: hidden; }
.facts div { flex: 1 1 13rem; padding: .8rem 1rem; background: var(--raised); }
.facts dt { color: var(--quiet); font-size: .85rem; }
.facts dd { margin: .1rem 0 0; font-size: 1.25rem; font-weight: 600; }
.facts small { display: block; color: var(--quiet); font-size: .8rem; font-weight: 400; }
.charts { display: flex; flex-wrap: wrap; gap: 1.25rem; }
figure { flex: 1 1 19rem; margin: 0; padding: 1.1rem 1.2rem .8rem; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); min-width: 0; display: flex; flex-direction: column; }
figure.wide { flex-basis: 100%; }
figcaption p { margin: .1rem 0 .8rem; color: var(--quiet); font-size: .9rem; }
.plot { margin: auto .8rem 0 0; padding: 10px 0 0 3.6rem; }
svg { display: block; overflow: visible; }
.label { fill: var(--quiet); font-size: 12px; }
.grid { stroke: var(--line); }
.line { fill: none; stroke: var(--accent); stroke-width: 2px; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.line-b { stroke: var(--second); stroke-dasharray: 7 4; }
.line-c { stroke: var(--quiet); stroke-dasharray: 2 4; }
.mark { stroke: var(--quiet); stroke-width: 1px; }
.stroke { display: inline-block; width: 1.8em; margin-right: .45em; vertical-align: middle; border-top: 2px solid var(--accent); }
.stroke-b { border-top: 2px dashed var(--second); }
.stroke-c { border-top: 2px dotted var(--quiet); }
.dot { fill: var(--accent); stroke: var(--raised); stroke-width: 1px; }
.target { stroke: var(--second); stroke-width: 1.5px; stroke-dasharray: 6 4; }
.target-label { fill: var(--ink); paint-order: stroke; stroke: var(--raised); stroke-width: 3px; }
.ground { fill: var(--line); opacity: .35; }
rect { shape-rendering: crispEdges; }
.fill-a { fill: var(--accent); background: var(--accent); }
.fill-b { fill: var(--second); background: var(--second); }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem 1.1rem; margin: 0 0 .5rem; padding: 0; list-style: none; color: var(--quiet); font-size: .85rem; }
.swatch { display: inline-block; width: .75em; height: .75em; margin-right: .45em; border-radius: 2px; }
.scale { width: 6rem; height: .75em; border-radius: 2px; background: linear-gradient(to right, color-mix(in srgb, var(--accent) 12%, transparent), var(--accent)); }
details { margin-top: .6rem; font-size: .85rem; }
summary { width: fit-content; padding: .3rem 0; color: var(--accent); cursor: pointer; }
.scroll { max-height: 20rem; overflow: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .28rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; }
tbody th { font-weight: 400; color: var(--quiet); }
thead th { position: sticky; top: 0; background: var(--raised); }
.note { margin: 0 0 .4rem; color: var(--quiet); }
.columns { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 3rem; }
.pairs { margin: 0; display: grid; grid-template-columns: minmax(0, max-content) minmax(0, 1fr); gap: .15rem 1.5rem; font-size: .92rem; }
.pairs dt { color: var(--quiet); }
.pairs dd { margin: 0; }
pre { margin: 0 0 .8rem; padding: .9rem 1.1rem; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
pre, code { font: .9rem/1.6 var(--mono); }
code { overflow-wrap: anywhere; }
.word { display: inline-block; max-width: 100%; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .9rem; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
@media (max-width: 46rem) {
  body { padding-top: 1.5rem; }
  .columns { grid-template-columns: minmax(0, 1fr); }
  .facts div { flex-basis: 8rem; }
  figure { padding-inline: .9rem; }
}
@media print {
  :root { --ground: #fff; --raised: #fff; --line: #ccc; --ink: #000; --quiet: #444; --accent: #1f6b46; --second: #c98a1b; color-scheme: light; }
  @page { margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h1 { font-size: 18pt; }
  .charts { gap: .8rem; }
  .facts div { flex-basis: 9rem; }
  figure, .facts, pre, .columns div { break-inside: avoid; }
  h2 { break-after: avoid; margin-top: 1.6rem; }
  details { display: none; }
  svg rect, .swatch, .scale { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
