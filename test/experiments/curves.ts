import type { Curve } from './fedavg-mnist.ts';

const WIDTH = 760;
const HEIGHT = 360;
const LEFT = 56;
const BOTTOM = 40;
const TOP = 16;
const RIGHT = 120;
const LOW = 0.8;
// Okabe & Ito's colours, told apart by most colour-blind people; each rate has a dash of its own too.
const looks = [
  { colour: '#0072b2', dash: '' },
  { colour: '#d55e00', dash: '7 3' },
  { colour: '#009e73', dash: '2 3' },
  { colour: '#cc79a7', dash: '9 3 2 3' },
];

/** Accuracy by round, one line a seed, one colour a learning rate, as a standalone SVG. */
export function curves(all: readonly Curve[], target: number): string {
  const rounds = Math.max(10, ...all.map((curve) => curve.accuracy.length));
  const x = (round: number) => LEFT + ((round - 1) / (rounds - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (accuracy: number) => TOP + ((1 - Math.max(LOW, accuracy)) / (1 - LOW)) * (HEIGHT - TOP - BOTTOM);
  const rates = [...new Set(all.map((curve) => curve.learningRate))];
  const look = (rate: number) => looks[rates.indexOf(rate) % looks.length] as (typeof looks)[number];
  const lines = all.map(({ accuracy, learningRate }) => {
    const { colour, dash } = look(learningRate);
    const points = accuracy.map((value, i) => `${x(i + 1).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" stroke-dasharray="${dash}" points="${points}"/>`;
  });
  const ticks = [0.8, 0.85, 0.9, 0.95, 1].map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#8883"/><text x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end">${(value * 100).toFixed(0)} %</text>`,
  );
  const steps = Array.from({ length: 5 }, (_, i) => 1 + Math.round((i * (rounds - 1)) / 4));
  const bottom = steps.map(
    (round) => `<text x="${x(round)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${round}</text>`,
  );
  const legend = rates.map((rate, i) => {
    const { colour, dash } = look(rate);
    const at = TOP + 14 + i * 20;
    return `<line x1="${WIDTH - RIGHT + 12}" x2="${WIDTH - RIGHT + 40}" y1="${at}" y2="${at}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/><text x="${WIDTH - RIGHT + 46}" y="${at + 4}">η = ${rate}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#666" role="img" aria-label="Test accuracy by round for each learning rate and seed">
${ticks.join('\n')}
<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(target)}" y2="${y(target)}" stroke="#2f6b4f" stroke-dasharray="4 4"/>
${lines.join('\n')}
${bottom.join('\n')}
${legend.join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">round</text>
</svg>
`;
}
