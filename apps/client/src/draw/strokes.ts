/** The pad's side in its own pixels, and in the keyboard's cells. */
export const PAD = 280;
export const CELLS = 28;
const CELL = PAD / CELLS;
/** Thickness of MNIST's strokes, relative to the size of their digits. */
const PEN = 20;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A cell's centre in the pad's pixels. */
export function centerOf(cell: Point): Point {
  return { x: (cell.x + 0.5) * CELL, y: (cell.y + 0.5) * CELL };
}

/** The cell in an arrow key's direction, within the pad; null for any other key. */
export function moved(cell: Point, key: string): Point | null {
  const steps: Record<string, Point> = {
    ArrowLeft: { x: -1, y: 0 },
    ArrowRight: { x: 1, y: 0 },
    ArrowUp: { x: 0, y: -1 },
    ArrowDown: { x: 0, y: 1 },
  };
  const step = steps[key];
  if (step === undefined) return null;
  const within = (value: number) => Math.min(CELLS - 1, Math.max(0, value));
  return { x: within(cell.x + step.x), y: within(cell.y + step.y) };
}

/** Draws a stroke, or a dot where it has no length. Black on transparent: the page's theme inverts it. */
export function stroke(context: CanvasRenderingContext2D, from: Point, to: Point): void {
  context.lineWidth = PEN;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.strokeStyle = '#000';
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}
