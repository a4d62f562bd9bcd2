import type { Source } from '@coppice/participant';
import { catalogue } from '@coppice/ui';

const text = catalogue<Record<Source, string>>(
  {
    sample: 'ready-made',
    images: 'pictures',
    csv: 'CSV',
    drawn: 'drawn',
    camera: 'camera',
    outcome: 'predictions',
  },
  {
    sample: '现成样本',
    images: '图片',
    csv: 'CSV',
    drawn: '手写',
    camera: '摄像头',
    outcome: '预测',
  },
);

/** The way in which examples came, in words. */
export function sourceName(source: Source): string {
  return text()[source];
}
