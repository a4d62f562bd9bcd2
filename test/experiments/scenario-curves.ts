import type { PlayedScenario, SchemeName } from './run-scenario.ts';

const WIDTH = 760;
const HEIGHT = 300;
const LEFT = 56;
const BOTTOM = 40;
const TOP = 16;
const RIGHT = 130;

// Okabe & Ito's colours, told apart by most colour-blind people; each way has a dash of its own too.
const looks: Readonly<Record<SchemeName, { label: string; colour: string; dash: string }>> = {
  loop: { label: 'the loop', colour: '#0072b2', dash: '' },
  fixed: { label: 'fixed schedule', colour: '#d55e00', dash: '7 3' },
  never: { label: 'never retrained', colour: '#777777', dash: '2 3' },
};

/** Accuracy on new examples by period, one line a way, as a standalone SVG. */
export function scenarioCurves({ result, curves }: Pick<PlayedScenario, 'result' | 'curves'>): string {
  const periods = curves.loop.length;
  const all = Object.values(curves).flat();
  const low = Math.floor(Math.min(...all) * 10) / 10;
  const x = (period: number) => LEFT + ((period - 1) / (periods - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (accuracy: number) => TOP + ((1 - accuracy) / (1 - low)) * (HEIGHT - TOP - BOTTOM);
  const order = ['never', 'fixed', 'loop'] as const;
  const lines = order.map((scheme) => {
    const { colour, dash } = looks[scheme];
    const points = curves[scheme]
      .map((value, i) => `${x(i + 1).toFixed(1)},${y(value).toFixed(1)}`)
      .join(' ');
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" stroke-dasharray="${dash}" points="${points}"/>`;
  });
  const steps = Math.round((1 - low) * 10);
  const every = Math.max(1, Math.ceil(steps / 5));
  const ticks = Array.from({ length: Math.floor(steps / every) + 1 }, (_, i) => 1 - (i * every) / 10).map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#8883"/><text x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end">${(value * 100).toFixed(0)} %</text>`,
  );
  const bottom = Array.from({ length: 5 }, (_, i) => 1 + Math.round((i * (periods - 1)) / 4)).map(
    (period) => `<text x="${x(period)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${period}</text>`,
  );
  const legend = order.toReversed().map((scheme, i) => {
    const { label, colour, dash } = looks[scheme];
    const at = TOP + 14 + i * 20;
    return `<line x1="${WIDTH - RIGHT + 10}" x2="${WIDTH - RIGHT + 34}" y1="${at}" y2="${at}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/><text x="${WIDTH - RIGHT + 40}" y="${at + 4}">${label}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#666" role="img" aria-label="${result.name}: accuracy on new examples by period, in the loop, on a fixed schedule and without retraining">
${ticks.join('\n')}
${lines.join('\n')}
${bottom.join('\n')}
${legend.join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">period</text>
</svg>
`;
}
