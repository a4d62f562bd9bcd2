import 'uplot/dist/uPlot.min.css';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { ChartFigure } from './figure.tsx';
import { useThemeVersion, useWidth } from './hooks.ts';
import { LineLegend } from './line-legend.tsx';
import {
  columnsPerLine,
  type Line,
  type LineScale,
  type PlotShape,
  plotData,
  plotOptions,
} from './line-plot.ts';
import { type Palette, readPalette, slotDash } from './palette.ts';
import { savePng } from './save.ts';
import { extremes, joinLines, type TableData } from './table-data.ts';
import { chartWords } from './words.ts';

export interface LineChartProps {
  readonly name: string;
  readonly title: string;
  /** Unit of x, e.g. "Round". */
  readonly xName: string;
  /** Formats a position on x, e.g. "round 7"; left out: the unit and the number. */
  readonly where?: (x: number) => string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The better direction: decides what "best" means in the summary. */
  readonly better: 'low' | 'high';
  /** 0–1; see `smoothingWidth`. The measured values stay visible behind. */
  readonly smoothing: number;
  readonly bounds?: readonly [number | null, number | null];
  /** Current scale; linear where left out. With `onScale`, the chart offers a switch to the logarithmic one. */
  readonly scale?: LineScale;
  readonly onScale?: (scale: LineScale) => void;
  /** Pairs of lines by their ids, upper and lower, with the space between them filled. */
  readonly bands?: readonly (readonly [string, string])[];
  /** The chart's message in one sentence; left out: the last and the best value of each line. */
  readonly summary?: string;
  readonly empty: string;
  readonly height?: number;
  /** Charts with the same key share their cursor. */
  readonly syncKey?: string;
  readonly testId?: string;
}

const noBands: readonly (readonly [string, string])[] = [];

/** Lines over rounds: a canvas, with a sentence, a table and arrow keys as its accessible twins. */
export function LineChart(props: LineChartProps) {
  const { lines, format, scale = 'linear', height = 220, bands = noBands } = props;
  const words = chartWords();
  const [at, setAt] = useState<number | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const host = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLCanvasElement | null>(null);
  const table = useMemo<TableData>(() => {
    const { x, y } = joinLines(lines.map((line) => line.points));
    return {
      columns: [props.xName, ...lines.map((line) => line.label)],
      rows: x.map((value, row) => [value, ...y.map((column) => column[row] ?? null)]),
    };
  }, [lines, props.xName]);
  const [lowest = null, highest = null] = props.bounds ?? [];
  const { smoothing } = props;
  // The cursor moves often and changes none of this.
  const shape = useMemo<PlotShape>(
    () => ({
      lines: lines.filter((line) => !hidden.has(line.id)),
      scale,
      smoothing,
      bounds: [lowest, highest],
      bands,
      format,
    }),
    [lines, hidden, scale, smoothing, lowest, highest, bands, format],
  );
  const where = props.where ?? ((x: number) => `${props.xName} ${x}`);
  const summary = lines
    .filter((line) => line.faint !== true)
    .flatMap((line) => {
      const found = extremes(line.points);
      if (found === null) return [];
      const best = props.better === 'low' ? found.min : found.max;
      const last = format(found.last.y);
      if (lines.length > 3) return [words.ends(line.label, last, where(found.last.x))];
      const bestX = where(best.x);
      const values = { last, lastX: where(found.last.x), best: format(best.y), bestX };
      return [words.line(line.label, values)];
    })
    .join(words.join);
  const nothing = lines.every((line) => line.points.every((point) => point.y === null));
  const save = () => {
    const canvas = image.current;
    const element = host.current;
    if (canvas === null || element === null) return;
    const palette = readPalette(element);
    void savePng(`${props.name}.png`, element, {
      title: props.title,
      image: canvas,
      width: canvas.clientWidth,
      height: canvas.clientHeight,
      legend: shape.lines.map((line) => ({
        label: line.label,
        colour: palette.slots[line.slot % palette.slots.length]!,
        dash: slotDash(line.slot),
      })),
    });
  };
  return (
    <ChartFigure
      name={props.name}
      title={props.title}
      summary={props.summary ?? `${summary}${words.stop}`}
      table={table}
      format={format}
      empty={nothing ? props.empty : null}
      testId={props.testId}
      onSavePng={save}
      tools={
        props.onScale !== undefined && (
          <button
            type="button"
            class="chart-tool"
            aria-pressed={scale === 'log'}
            onClick={() => props.onScale?.(scale === 'log' ? 'linear' : 'log')}
          >
            {words.log}
          </button>
        )
      }
      legend={
        <LineLegend
          lines={lines}
          hidden={hidden}
          onToggle={(id) => setHidden(toggled(hidden, id))}
          at={at}
          where={where}
          format={format}
        />
      }
    >
      <div class="chart-canvas" ref={host} style={{ height: `${height}px` }}>
        <Plot
          shape={shape}
          height={height}
          syncKey={props.syncKey}
          label={`${props.title}. ${words.keys}`}
          rows={table.rows}
          columns={table.columns}
          canvas={image}
          onCursor={setAt}
        />
      </div>
    </ChartFigure>
  );
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

interface PlotProps {
  readonly shape: PlotShape;
  readonly height: number;
  readonly syncKey: string | undefined;
  readonly label: string;
  readonly columns: TableData['columns'];
  readonly rows: TableData['rows'];
  readonly canvas: { current: HTMLCanvasElement | null };
  readonly onCursor: (x: number | null) => void;
}

/** The canvas itself: recreated when its structure changes, updated when only its numbers do. */
function Plot({ shape, height, syncKey, label, columns, rows, canvas, onCursor }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const palette = useRef<Palette | null>(null);
  const latest = useRef(shape);
  latest.current = shape;
  const width = useWidth(host);
  const theme = useThemeVersion();
  const [spoken, setSpoken] = useState('');
  const structure = [
    shape.scale,
    columnsPerLine(shape.smoothing),
    ...shape.lines.map((line) => `${line.id}\u0000${line.slot}`),
  ].join('\u0001');

  // `structure` stands for what the options are made of; its other parts only change colours and numbers.
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null || width === 0) return;
    palette.current = readPalette(element);
    const made = new uPlot(
      plotOptions(latest.current, {
        width,
        height,
        palette: () => palette.current ?? readPalette(element),
        syncKey,
        onCursor,
      }),
      plotData(latest.current),
      element,
    );
    plot.current = made;
    canvas.current = made.ctx.canvas;
    return () => {
      made.destroy();
      plot.current = null;
      canvas.current = null;
    };
  }, [structure, width === 0, height, syncKey]);

  useLayoutEffect(() => plot.current?.setData(plotData(shape)), [shape]);
  useLayoutEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width, height]);
  // A new theme version is the reason to read the colours again.
  useEffect(() => {
    if (host.current === null) return;
    palette.current = readPalette(host.current);
    plot.current?.redraw(false, true);
  }, [theme]);

  const step = (event: KeyboardEvent) => {
    const made = plot.current;
    const places = made?.data[0];
    if (!made || !places?.length) return;
    const last = places.length - 1;
    const now = made.cursor.idx ?? null;
    const targets: Record<string, number> = {
      ArrowLeft: Math.max(0, (now ?? last + 1) - 1),
      ArrowRight: Math.min(last, (now ?? -1) + 1),
      Home: 0,
      End: last,
    };
    const x = places[targets[event.key] ?? -1];
    if (typeof x !== 'number') return;
    event.preventDefault();
    made.setCursor({ left: made.valToPos(x, 'x'), top: 0 });
    const row = rows.find(([first]) => first === x) ?? [];
    const values = row.slice(1).map((value) => (typeof value === 'number' ? shape.format(value) : '–'));
    setSpoken([x, ...values].map((value, index) => `${columns[index]} ${value}`).join(', '));
  };
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
      <div
        class="chart-plot"
        ref={host}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the values
        tabIndex={0}
        aria-label={label}
        onKeyDown={step}
        onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
      />
      <p class="chart-spoken" aria-live="polite">
        {spoken}
      </p>
    </>
  );
}
