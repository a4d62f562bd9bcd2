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
import { type ChartLanguage, chartWords } from './words.ts';

export interface LineChartProps {
  readonly name: string;
  readonly title: string;
  /** What x counts, e.g. "Round". */
  readonly xName: string;
  readonly language: ChartLanguage;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** Which end is good: decides what "best" means in the summary. */
  readonly better: 'low' | 'high';
  /** 0–1; see `smoothingWidth`. What was measured stays visible behind. */
  readonly smoothing: number;
  readonly bounds?: readonly [number | null, number | null];
  /** Given, the chart offers a logarithmic scale. */
  readonly scale?: LineScale;
  readonly onScale?: (scale: LineScale) => void;
  readonly empty: string;
  readonly height?: number;
  /** Charts with the same key share their cursor. */
  readonly syncKey?: string;
  readonly testId?: string;
}

/** Lines over rounds: a canvas for the eye, a sentence, a table and arrow keys for everyone. */
export function LineChart(props: LineChartProps) {
  const { language, lines, format, scale = 'linear', height = 220 } = props;
  const words = chartWords(language);
  const [at, setAt] = useState<number | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const visible = lines.filter((line) => !hidden.has(line.id));
  const host = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLCanvasElement | null>(null);
  const table = useMemo<TableData>(() => {
    const { x, y } = joinLines(lines.map((line) => line.points));
    return {
      columns: [props.xName, ...lines.map((line) => line.label)],
      rows: x.map((value, row) => [value, ...y.map((column) => column[row] ?? null)]),
    };
  }, [lines, props.xName]);
  const where = (x: number) => `${props.xName} ${x}`;
  const summary = lines
    .flatMap((line) => {
      const found = extremes(line.points);
      if (found === null) return [];
      const [best, worst] = props.better === 'low' ? [found.min, found.max] : [found.max, found.min];
      const last = format(found.last.y);
      if (lines.length > 3) return [words.endsAt(line.label, last, where(found.last.x))];
      const bestX = where(best.x);
      const values = {
        last,
        lastX: where(found.last.x),
        best: format(best.y),
        bestX,
        worst: format(worst.y),
      };
      return [words.line(line.label, values)];
    })
    .join(language === 'zh' ? ';' : '; ');
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
      legend: visible.map((line) => ({
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
      summary={`${summary}${language === 'zh' ? '。' : '.'}`}
      language={language}
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
          at={at === null ? null : Number(table.rows[at]?.[0])}
          where={where}
          format={format}
        />
      }
    >
      <div class="chart-canvas" ref={host} style={{ height: `${height}px` }}>
        <Plot
          shape={{
            lines: visible,
            scale,
            smoothing: props.smoothing,
            bounds: props.bounds ?? [null, null],
            format,
          }}
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
  readonly onCursor: (index: number | null) => void;
}

/** The canvas itself: made anew when its structure changes, fed when only its numbers do. */
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

  // biome-ignore lint/correctness/useExhaustiveDependencies: `structure` stands for what the options are made of
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
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme version is the reason to read again
  useEffect(() => {
    if (host.current === null) return;
    palette.current = readPalette(host.current);
    plot.current?.redraw(false, true);
  }, [theme]);

  const step = (event: KeyboardEvent) => {
    const made = plot.current;
    if (made === null || rows.length === 0) return;
    const last = rows.length - 1;
    const now = made.cursor.idx ?? null;
    const next =
      event.key === 'ArrowLeft'
        ? Math.max(0, (now ?? last + 1) - 1)
        : event.key === 'ArrowRight'
          ? Math.min(last, (now ?? -1) + 1)
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? last
              : null;
    if (next === null) return;
    event.preventDefault();
    made.setCursor({ left: made.valToPos(Number(rows[next]![0]), 'x'), top: 0 });
    setSpoken(
      columns
        .map((column, index) => {
          const value = rows[next]![index];
          return `${column} ${typeof value === 'number' && index > 0 ? shape.format(value) : (value ?? '–')}`;
        })
        .join(', '),
    );
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the values */}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
      <div
        class="chart-plot"
        ref={host}
        role="group"
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
