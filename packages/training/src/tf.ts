/** The one place that imports tfjs: all of this room takes it from here. */
export * from '@tensorflow/tfjs';
