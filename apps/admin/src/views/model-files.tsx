import { CoppiceError } from '@coppice/protocol';
import { askDownload } from '../live/api.ts';

/** Files of a model, each in the folder of `model.json`. */
const files = [
  'model.json',
  'weights.bin',
  'model-float16.json',
  'weights-float16.bin',
  'model.safetensors',
] as const;
/** The file that not every model has. */
const ONNX = 'model.onnx';

/** Links to a model's files. @param folder its address, without a slash at its end. @param onRefused hears why one cannot be had; null: it can. */
export function ModelFiles({
  folder,
  onRefused,
}: {
  folder: string;
  onRefused: (why: CoppiceError | null) => void;
}) {
  const download = async (link: HTMLAnchorElement) => {
    onRefused(null);
    try {
      await askDownload(link.href);
      save(link.href);
    } catch (thrown) {
      onRefused(CoppiceError.from(thrown));
    }
  };
  return (
    <span class="row tight-row model-files">
      {files.map((name) => (
        <a key={name} href={`${folder}/${name}`} download={name}>
          {name}
        </a>
      ))}
      <a
        href={`${folder}/${ONNX}`}
        download={ONNX}
        onClick={(event) => {
          // A refusal is JSON, and would be saved as the file.
          event.preventDefault();
          void download(event.currentTarget);
        }}
      >
        {ONNX}
      </a>
    </span>
  );
}

function save(href: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = ONNX;
  link.click();
}
