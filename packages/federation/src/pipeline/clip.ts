import { shapeSize } from '@coppice/protocol';
import { trainableNorm } from '../metrics.ts';
import type { PipelineStep } from './pipeline.ts';

/**
 * Scales an update down to an L2 norm of at most `maxNorm`, over all trainable tensors taken
 * together ("flat clipping": McMahan et al., "Learning Differentially Private Recurrent Language
 * Models", ICLR 2018). Non-trainable weights pass unchanged: they are measurements, not steps.
 * Nothing to undo on the server.
 */
export function clip(maxNorm: number): PipelineStep {
  return {
    name: 'clip',
    onParticipant(values, { layout }) {
      const norm = trainableNorm(values, layout);
      if (norm <= maxNorm) return values;
      const factor = maxNorm / norm;
      const clipped = values.slice();
      let at = 0;
      for (const { shape, trainable } of layout) {
        const end = at + shapeSize(shape);
        if (trainable) for (let i = at; i < end; i++) clipped[i] = (values[i] as number) * factor;
        at = end;
      }
      return clipped;
    },
  };
}
