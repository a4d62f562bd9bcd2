import type { ImageData as ImageSchema } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { CameraCapture } from './camera-capture.tsx';
import { CameraSwitch } from './camera-switch.tsx';

const text = catalogue(
  {
    title: 'Use the camera',
    help: 'Hold a button to capture examples. Pictures stay in this browser, as all examples do.',
  },
  {
    title: '用摄像头拍摄',
    help: '按住按钮即可拍摄样本。与所有样本一样，图片只保存在本浏览器中。',
  },
);

/** Captures examples with the camera. */
export function CameraAdder({ data }: { data: ImageSchema }) {
  const t = text();
  return (
    <CameraSwitch testId="camera" title={t.title} help={t.help}>
      {({ id, stream }) => <CameraCapture key={id} data={data} stream={stream} />}
    </CameraSwitch>
  );
}
