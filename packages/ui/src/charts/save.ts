import { readPalette } from './palette.ts';

/** Downloads a file. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the blob by the time the click's task is over.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

export function saveText(name: string, type: string, text: string): void {
  // The byte order mark lets spreadsheet programs see that it is UTF-8.
  saveFile(name, new Blob([type === 'text/csv' ? '\uFEFF' : '', text], { type: `${type};charset=utf-8` }));
}

export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly dash: readonly number[];
}

/** Saves a drawing with its title above and its legend below, on the page's own background. */
export async function savePng(
  name: string,
  host: HTMLElement,
  picture: {
    title: string;
    image: CanvasImageSource;
    width: number;
    height: number;
    legend: readonly LegendEntry[];
  },
): Promise<void> {
  const { title, image, width, height, legend } = picture;
  const palette = readPalette(host);
  const ratio = Math.max(2, devicePixelRatio);
  const margin = 16;
  const canvas = document.createElement('canvas');
  canvas.width = (width + 2 * margin) * ratio;
  canvas.height = (height + 36 + 20 * legend.length + 2 * margin) * ratio;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = palette.ink;
  context.font = `600 15px ${palette.font}`;
  context.textBaseline = 'middle';
  context.fillText(title, margin, margin + 8);
  context.drawImage(image, margin, margin + 28, width, height);
  context.font = `13px ${palette.font}`;
  context.lineWidth = 2.5;
  for (const [index, entry] of legend.entries()) {
    const y = margin + 28 + height + 18 + 20 * index;
    context.strokeStyle = entry.colour;
    context.setLineDash([...entry.dash]);
    context.beginPath();
    context.moveTo(margin, y);
    context.lineTo(margin + 28, y);
    context.stroke();
    context.fillText(entry.label, margin + 38, y);
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob !== null) saveFile(name, blob);
}

const painted = ['fill', 'stroke', 'stroke-dasharray', 'stroke-width', 'opacity', 'font-size', 'font-family'];

/** Renders an SVG of the page as an image; its computed styles are copied into it first. */
export async function svgImage(svg: SVGSVGElement): Promise<HTMLImageElement> {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = svg.querySelectorAll('*');
  for (const [index, element] of copy.querySelectorAll<SVGElement>('*').entries()) {
    const style = getComputedStyle(originals[index]!);
    for (const property of painted) element.style.setProperty(property, style.getPropertyValue(property));
  }
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}
