import type { Localized } from '../../task.ts';
import { real } from '../field.ts';

/** The server's learning rate, with the default and the consequence that a strategy gives it. */
export function serverLearningRate(usual: number, consequence: Localized) {
  return real(0.001, 10, {
    default: usual,
    flag: { takes: 'ETA' },
    label: { en: 'Server learning rate', zh: '服务器学习率' },
    help: { en: 'The factor on the combined update.', zh: '合成后的更新所乘的系数。' },
    consequence,
  });
}
