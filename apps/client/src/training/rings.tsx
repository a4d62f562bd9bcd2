import { catalogue, formatNumber } from '@coppice/ui';
import { computed } from '@preact/signals';
import { useState } from 'preact/hooks';
import { session } from '../link/session.ts';
import { chosen, stage } from '../run/run.ts';
import { arc, MOST_SEGMENTS, segments, share } from './ring-geometry.ts';
import { acceptedRounds } from './round-record.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    run: 'Run',
    round: 'Round',
    step: 'Step',
    of: (done: number, all: number) => `${n(done)} of ${n(all)}`,
    devices: (done: number, all: number) => `${n(done)} of ${n(all)} devices done`,
    pass: (epoch: number, epochs: number) => `pass ${n(epoch)} of ${n(epochs)}`,
    between: 'between rounds',
    resting: 'resting',
    runMeans:
      'The whole training: one piece a round. Full green: a round with your update in it; pale: one without.',
    roundMeans:
      'One cycle: the model goes out, devices train, their updates are averaged. One piece for each device asked.',
    stepMeans: 'Your device now: one small batch of your examples after another, until it has seen them all.',
    hint: 'Three rings, as in a tree: point at one to see what it counts.',
    center: 'rounds',
  },
  {
    run: '训练',
    round: '轮',
    step: '步',
    of: (done, all) => `${n(done)} / ${n(all)}`,
    devices: (done, all) => `${n(done)} / ${n(all)} 台设备已完成`,
    pass: (epoch, epochs) => `第 ${n(epoch)} 遍，共 ${n(epochs)} 遍`,
    between: '两轮之间',
    resting: '休息中',
    runMeans: '整个训练：每一段是一轮。深绿表示有你的更新，浅绿表示没有。',
    roundMeans: '一个循环：下发模型、各设备训练、汇总更新。每一段是一台受邀的设备。',
    stepMeans: '你的设备此刻：一小批一小批地学习你的样本，直到全部看过。',
    hint: '像树木一样有三圈年轮：指向其中一圈，看它在数什么。',
    center: '轮',
  },
);

type Ring = 'run' | 'round' | 'step';
const rings: readonly Ring[] = ['run', 'round', 'step'];
const radius: Record<Ring, number> = { run: 92, round: 71, step: 52 };

const progress = computed(() => {
  const { kind } = session.activity.value;
  return kind === 'training' ? session.activity.value : null;
});

/** The page's emblem: three growth rings, the run outside, the round within, this device's steps innermost. */
export function Rings() {
  const t = text();
  const [active, setActive] = useState<Ring | null>(null);
  const means: Record<Ring, string> = { run: t.runMeans, round: t.roundMeans, step: t.stepMeans };
  return (
    <div class="rings">
      <svg class="rings-figure" viewBox="-104 -104 208 208" aria-hidden="true" data-active={active ?? ''}>
        <g class="ring run" onPointerEnter={() => setActive('run')} onPointerLeave={() => setActive(null)}>
          <RunRing />
        </g>
        <g
          class="ring round"
          onPointerEnter={() => setActive('round')}
          onPointerLeave={() => setActive(null)}
        >
          <RoundRing />
        </g>
        <g class="ring step" onPointerEnter={() => setActive('step')} onPointerLeave={() => setActive(null)}>
          <StepRing />
        </g>
        <Center />
      </svg>
      <div class="rings-words">
        <ul class="rings-legend">
          {rings.map((ring) => (
            <li key={ring}>
              <button
                type="button"
                class={`rings-entry ${ring}`}
                aria-expanded={active === ring}
                aria-controls="ring-means"
                onPointerEnter={() => setActive(ring)}
                onPointerLeave={() => setActive(null)}
                onFocus={() => setActive(ring)}
                onBlur={() => setActive(null)}
                onClick={() => setActive(ring)}
              >
                <span class="rings-name">{t[ring]}</span>
                <Value ring={ring} />
              </button>
            </li>
          ))}
        </ul>
        <p id="ring-means" class="small quiet rings-means">
          {active === null ? t.hint : means[active]}
        </p>
      </div>
    </div>
  );
}

function Value({ ring }: { ring: Ring }) {
  const t = text();
  if (ring === 'run') {
    const run = chosen.value;
    return (
      <span class="rings-value" data-testid="round">
        {run === null ? '–' : t.of(run.round, run.rounds)}
      </span>
    );
  }
  const step = progress.value;
  if (ring === 'round') {
    const { done, all } = devices();
    return <span class="rings-value">{all === 0 ? t.between : t.devices(done, all)}</span>;
  }
  return (
    <span class="rings-value">
      {step === null
        ? t.resting
        : `${t.of(step.step, step.steps)}${step.epochs > 1 ? ` · ${t.pass(step.epoch, step.epochs)}` : ''}`}
    </span>
  );
}

function devices(): { done: number; all: number } {
  if (stage.value !== 'in') return { done: 0, all: 0 };
  const peers = session.peers.value;
  return { done: peers?.done ?? 0, all: (peers?.done ?? 0) + (peers?.working ?? 0) };
}

function Center() {
  const run = chosen.value;
  return (
    <g class="rings-center">
      <text y="4">{run === null ? '–' : formatNumber(run.round)}</text>
      <text class="rings-unit" y="23">
        {text().center}
      </text>
    </g>
  );
}

function RunRing() {
  const run = chosen.value;
  const all = run?.rounds ?? 0;
  const done = run?.round ?? 0;
  const mine = acceptedRounds(session.outcomes.value);
  if (all > MOST_SEGMENTS || all <= 1) return <Whole ring="run" filled={share(done, all)} />;
  return (
    <>
      {segments(all, 0.007).map(({ from, to }, index) => (
        <path
          key={from}
          class={index < done ? (mine.has(index + 1) ? 'mine' : 'others') : 'open'}
          d={arc(radius.run, from, to)}
        />
      ))}
    </>
  );
}

function RoundRing() {
  const { done, all } = devices();
  if (all > MOST_SEGMENTS || all <= 1) return <Whole ring="round" filled={share(done, all)} />;
  return (
    <>
      {segments(all, 0.012).map(({ from, to }, index) => (
        <path key={from} class={index < done ? 'mine' : 'open'} d={arc(radius.round, from, to)} />
      ))}
    </>
  );
}

function StepRing() {
  const { kind } = session.activity.value;
  const step = progress.value;
  const delivered = kind === 'sending' || kind === 'delivered';
  const filled =
    step === null
      ? delivered
        ? 1
        : 0
      : share((step.epoch - 1) * step.steps + step.step, step.epochs * step.steps);
  return <Whole ring="step" filled={filled} />;
}

function Whole({ ring, filled }: { ring: Ring; filled: number }) {
  return (
    <>
      <path class="open" d={arc(radius[ring], 0, 1)} />
      {filled > 0 && <path class="mine" d={arc(radius[ring], 0, filled)} />}
    </>
  );
}
