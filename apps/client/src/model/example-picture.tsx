import type { ImageData as ImageSchema } from '@coppice/protocol';
import { useEffect, useRef } from 'preact/hooks';

interface ExamplePictureProps {
  readonly data: ImageSchema;
  /** Pixels 0–255, row-major, channels last. */
  readonly features: ArrayLike<number>;
  readonly label: string;
}

/** An example as the model sees it, on a sheet of its own. */
export function ExamplePicture(props: ExamplePictureProps) {
  return (
    <div class="pad">
      <ExampleCanvas {...props} />
    </div>
  );
}

/** An example as the model sees it; ink that is stored bright on black is shown as ink on paper. */
export function ExampleCanvas({ data, features, label }: ExamplePictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, channels } = data;
  const turned = data.ink === 'light-on-dark';
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const pixels = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) {
        const value = features[i * channels + (channels === 3 ? c : 0)] ?? 0;
        pixels.data[i * 4 + c] = turned ? 0 : value;
      }
      pixels.data[i * 4 + 3] = turned ? (features[i] ?? 0) : 255;
    }
    context.putImageData(pixels, 0, 0);
  }, [features, width, height, channels, turned]);
  return (
    <div class={`pad-sheet example ${turned ? '' : 'photo'}`} style={{ aspectRatio: `${width} / ${height}` }}>
      <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />
    </div>
  );
}
