import { catalogue } from '@coppice/ui';
import { transfer } from 'comlink';
import { useRef, useState } from 'preact/hooks';
import { DrawPad, type Pad } from '../draw/draw-pad.tsx';
import { participant } from '../link/participant.ts';
import { busy, change } from './data.ts';

const text = catalogue(
  {
    title: 'Draw one',
    sheet: 'Sheet to draw an example on',
    label: 'It is a',
    add: 'Add drawing',
    clear: 'Clear',
    added: (label: string) => `Added as “${label}”.`,
    empty: 'Draw something first.',
  },
  {
    title: '手写一个',
    sheet: '手写样本的画板',
    label: '它是',
    add: '添加手写',
    clear: '清除',
    added: (label) => `已添加为“${label}”。`,
    empty: '请先写一个。',
  },
);

/** A pad whose drawing becomes an example. */
export function Drawing({ classes }: { classes: readonly string[] }) {
  const t = text();
  const pad = useRef<Pad | null>(null);
  const [label, setLabel] = useState(0);
  const [told, setTold] = useState('');
  const add = async () => {
    if (pad.current === null || pad.current.isEmpty()) return setTold(t.empty);
    const picture = await pad.current.bitmap();
    const added = await change(() =>
      participant().addPictures(transfer([picture], [picture]), label, 'drawn'),
    );
    if (added === undefined) return undefined;
    pad.current.clear();
    return setTold(t.added(classes[label] as string));
  };
  return (
    <div class="stack tight">
      <h3 class="eyebrow">{t.title}</h3>
      <div class="drawing">
        <DrawPad label={t.sheet} testId="canvas-draw" pad={pad} onChange={() => setTold('')} />
        <div class="stack tight">
          <div class="field">
            <label for="draw-label">{t.label}</label>
            <select
              id="draw-label"
              class="input"
              data-testid="draw-label"
              value={label}
              onChange={(event) => setLabel(Number(event.currentTarget.value))}
            >
              {classes.map((name, index) => (
                <option key={name} value={index}>
                  {name}
                </option>
              ))}
            </select>
          </div>
          <button
            type="button"
            class="button"
            data-testid="draw-add"
            disabled={busy.value}
            onClick={() => void add()}
          >
            {t.add}
          </button>
          <button type="button" class="button" onClick={() => pad.current?.clear()}>
            {t.clear}
          </button>
          <p class="small quiet" role="status">
            {told}
          </p>
        </div>
      </div>
    </div>
  );
}
