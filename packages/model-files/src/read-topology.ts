import type { Topology } from '@coppice/protocol';
import { invalid } from './invalid.ts';
import { fromKeras3, isKeras3 } from './keras-3.ts';
import { isObject } from './layers.ts';
import { checkNesting } from './nesting.ts';
import { inTfjsForms } from './tfjs-forms.ts';

/**
 * Reads the topology from any form that people have: the content of a `model.json` (with its `modelTopology`), the
 * output of Keras' converter (with its `model_config`), or the topology alone. The rest (weights manifest, optimizer)
 * is left out. A topology of Keras 3 is translated to the form of Keras 2, which tfjs reads; its own result, and every
 * topology of Keras 2 or tfjs, is returned as it is.
 *
 * @throws CoppiceError `model-invalid`
 */
export function readTopology(model: unknown): Topology {
  checkNesting(model);
  if (!isObject(model)) throw invalid('it is not a JSON object. Give the content of model.json');
  const graph = 'a TensorFlow graph model, made for answering only. Convert it again as a layers model';
  if (model['format'] === 'graph-model') throw invalid(`it is ${graph}`);
  let topology: unknown = 'modelTopology' in model ? model['modelTopology'] : model;
  if (isObject(topology) && isObject(topology['model_config'])) topology = topology['model_config'];
  if (!isObject(topology)) {
    throw invalid(
      'its "modelTopology" is missing or empty: the file may be cut short. Save the model again with model.save()',
    );
  }
  if ('node' in topology && 'versions' in topology) throw invalid(`it is ${graph}`);
  const className = topology['class_name'];
  if (typeof className !== 'string' || topology['config'] === undefined) {
    throw invalid(
      'it has no "class_name" and "config": it is not a tfjs layers model, or the file is cut short. Save it with model.save()',
    );
  }
  if (className !== 'Sequential' && className !== 'Model' && className !== 'Functional') {
    throw invalid(`its outermost part is a "${className}", not a Sequential or a functional Model`);
  }
  const read = isKeras3(topology) ? fromKeras3(topology) : topology;
  return inTfjsForms({ class_name: className, config: read['config'] });
}
