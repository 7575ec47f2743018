/** Pictures of ratios: bars with their spread, and curves. Readable on light and on dark. */
import type { Kind } from './subjects';

const STYLE = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .quiet { fill: #59636e; }
  .axis { stroke: #8c959f; fill: none; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  .ours { fill: #0969da; } .ideal { fill: #1a7f37; } .peer { fill: #afb8c1; }
  .line0 { stroke: #0969da; } .line1 { stroke: #bc4c00; } .line2 { stroke: #1a7f37; }
  .key0 { fill: #0969da; } .key1 { fill: #bc4c00; } .key2 { fill: #1a7f37; }
  polyline { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #9198a1; } .spread { stroke: #e6edf3; }
    .ours { fill: #4493f8; } .ideal { fill: #3fb950; } .peer { fill: #656c76; }
    .line0 { stroke: #4493f8; } .line1 { stroke: #f0883e; } .line2 { stroke: #3fb950; }
    .key0 { fill: #4493f8; } .key1 { fill: #f0883e; } .key2 { fill: #3fb950; }
  }
</style>`;

export interface Bar {
  label: string;
  kind: Kind;
  median: number;
  low: number;
  high: number;
  text: string;
}

export interface Line {
  label: string;
  points: { x: number; y: number }[];
}

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function picture(title: string, width: number, height: number, content: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escape(title)}">
${STYLE}
<text x="8" y="22" font-weight="600">${escape(title)}</text>
${content.join('\n')}
</svg>
`;
}

export function bars(title: string, rows: readonly Bar[]): string {
  const left = 260;
  const scale = 340 / Math.max(...rows.map(({ high }) => high));
  const content = rows.map(({ label, kind, median, low, high, text }, index) => {
    const y = 40 + index * 24;
    const at = (value: number) => (left + Math.max(0, value) * scale).toFixed(1);
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escape(label)}</text>
<rect class="${kind}" x="${left}" y="${y + 2}" width="${(Math.max(0, median) * scale).toFixed(1)}" height="15" rx="2"/>
<line class="spread" x1="${at(low)}" x2="${at(high)}" y1="${y + 9.5}" y2="${y + 9.5}"/>
<text class="quiet" x="${Number(at(Math.max(median, high))) + 8}" y="${y + 13}">${escape(text)}</text>`;
  });
  return picture(title, 720, 52 + rows.length * 24, content);
}

/** Lines on a logarithmic x. */
export function curves(title: string, lines: readonly Line[]): string {
  const [left, right, top, bottom] = [50, 560, 45, 240] as const;
  const all = lines.flatMap(({ points }) => points);
  const widest = Math.log10(Math.max(...all.map(({ x }) => x)));
  const highest = Math.max(2, ...all.map(({ y }) => y * 1.1));
  const atX = (x: number) => left + (Math.log10(x) / widest) * (right - left);
  const atY = (y: number) => bottom - (y / highest) * (bottom - top);
  const content = [
    `<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>`,
    ...[0, 1, Math.floor(highest)].map(
      (y) =>
        `<text class="quiet" x="${left - 8}" y="${atY(y) + 4}" text-anchor="end">${y} ×</text>`,
    ),
    ...[1, 10, 100, 1000].map(
      (x) =>
        `<text class="quiet" x="${atX(x)}" y="${bottom + 18}" text-anchor="middle">${x}</text>`,
    ),
  ];
  for (const [index, { label, points }] of lines.entries()) {
    const path = points.map(({ x, y }) => `${atX(x).toFixed(1)},${atY(y).toFixed(1)}`);
    content.push(`<polyline class="line${index}" points="${path.join(' ')}"/>`);
    for (const point of path) {
      const [x, y] = point.split(',');
      content.push(`<circle class="key${index}" cx="${x}" cy="${y}" r="3.5"/>`);
    }
    const y = top + 10 + index * 20;
    content.push(
      `<rect class="key${index}" x="${right + 14}" y="${y - 8}" width="12" height="4"/>`,
      `<text x="${right + 32}" y="${y}">${escape(label)}</text>`,
    );
  }
  return picture(title, 720, bottom + 30, content);
}
