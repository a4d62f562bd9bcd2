import { catalogue, formatNumber } from '@coppice/ui';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { CELLS, centerOf, moved, PAD, type Point, stroke } from './strokes.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    help: 'By keyboard: arrow keys move the pen, Space puts it down and lifts it, Delete clears.',
    at: (row: number, column: number, down: boolean) =>
      `Row ${n(row)}, column ${n(column)}, pen ${down ? 'down' : 'up'}`,
    cleared: 'Cleared',
  },
  {
    help: '键盘：方向键移动画笔，空格键落笔或提笔，Delete 清除。',
    at: (row, column, down) => `第 ${n(row)} 行，第 ${n(column)} 列，${down ? '落笔' : '提笔'}`,
    cleared: '已清除',
  },
);

/** The interface of a pad to its owner. */
export interface Pad {
  /** Checks that nothing is drawn. */
  isEmpty(): boolean;
  /** Captures the current drawing. */
  bitmap(): Promise<ImageBitmap>;
  clear(): void;
}

interface DrawPadProps {
  readonly label: string;
  readonly testId: string;
  /** Filled in once the pad is mounted. */
  readonly pad: { current: Pad | null };
  /** Called after every part of a stroke, and after clearing. */
  readonly onChange: () => void;
}

/** A sheet to draw on, by finger, mouse, pen or keyboard. */
export function DrawPad({ label, testId, pad, onChange }: DrawPadProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const empty = useRef(true);
  const last = useRef<Point | null>(null);
  const [cell, setCell] = useState<Point>({ x: CELLS / 2, y: CELLS / 2 });
  const [penDown, setPenDown] = useState(false);
  const [focused, setFocused] = useState(false);
  const [spoken, setSpoken] = useState('');
  const help = useId();
  const t = text();

  const context = () => canvas.current?.getContext('2d') ?? null;
  const draw = (from: Point, to: Point) => {
    const paper = context();
    if (paper === null) return;
    stroke(paper, from, to);
    empty.current = false;
    onChange();
  };
  const clear = () => {
    context()?.clearRect(0, 0, PAD, PAD);
    empty.current = true;
    onChange();
  };
  useEffect(() => {
    pad.current = {
      isEmpty: () => empty.current,
      bitmap: () => createImageBitmap(canvas.current as HTMLCanvasElement),
      clear,
    };
  });

  const place = (event: PointerEvent): Point => {
    const box = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * PAD,
      y: ((event.clientY - box.top) / box.height) * PAD,
    };
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.current?.setPointerCapture(event.pointerId);
    const at = place(event);
    last.current = at;
    draw(at, at);
  };
  const move = (event: PointerEvent) => {
    if (last.current === null) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const at = place(one);
      draw(last.current, at);
      last.current = at;
    }
  };
  const up = () => {
    last.current = null;
  };

  const key = (event: KeyboardEvent) => {
    const next = moved(cell, event.key);
    if (next !== null) {
      setCell(next);
      if (penDown) draw(centerOf(cell), centerOf(next));
      setSpoken(t.at(next.y + 1, next.x + 1, penDown));
    } else if (event.key === ' ') {
      if (!penDown) draw(centerOf(cell), centerOf(cell));
      setPenDown(!penDown);
      setSpoken(t.at(cell.y + 1, cell.x + 1, !penDown));
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      clear();
      setPenDown(false);
      setSpoken(t.cleared);
    } else return;
    event.preventDefault();
  };

  const pen = centerOf(cell);
  return (
    <div class="pad">
      <div class="pad-sheet">
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: a canvas has no role of its own; this one takes keys */}
        <canvas
          ref={canvas}
          width={PAD}
          height={PAD}
          tabIndex={0}
          role="application"
          aria-label={label}
          aria-describedby={help}
          data-testid={testId}
          onPointerDown={down}
          onPointerMove={move}
          onPointerUp={up}
          onPointerCancel={up}
          onKeyDown={key}
          onFocus={(event) => setFocused(event.currentTarget.matches(':focus-visible'))}
          onBlur={() => {
            setFocused(false);
            setPenDown(false);
          }}
        />
        {focused && (
          <span
            class={`pad-pen ${penDown ? 'down' : ''}`}
            style={{ left: `${(pen.x / PAD) * 100}%`, top: `${(pen.y / PAD) * 100}%` }}
          />
        )}
      </div>
      <p id={help} class="pad-help small quiet">
        {t.help}
      </p>
      <span class="visually-hidden" aria-live="polite">
        {spoken}
      </span>
    </div>
  );
}
