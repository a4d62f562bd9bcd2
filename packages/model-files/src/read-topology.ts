import { CoppiceError, type Topology } from '@coppice/protocol';
import { checkNesting } from './nesting.ts';

type Json = { [key: string]: unknown };

/**
 * Reads the topology from any form that people have: the content of a `model.json` (with its `modelTopology`), the
 * output of Keras' converter (with its `model_config`), or the topology alone. The rest (weights manifest, optimizer)
 * is left out.
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
  return { class_name: className, config: topology['config'] };
}

/** A refusal of a model; `why` goes on from "it ". */
export function invalid(why: string, cause?: unknown): CoppiceError {
  return new CoppiceError(
    'model-invalid',
    `This model can't be trained here: ${why}.`,
    cause === undefined ? undefined : { cause },
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
